/** The number of the advisory lock under which tables are made; arbitrary. */
const SETUP_LOCK = 20131123;

/**
 * Makes what sweeps keep in a database, where it is not there. JSON stands as text, so that the order of fields stays: it is the order of a
 * grid. Of a sweep, `asked` is how many trials were asked for and `retries` how often failed ones were given out again; those columns came
 * later than their tables, and are added only where they are absent: that locks a table that others use.
 */
export const TABLES = `
begin;
select pg_advisory_xact_lock(${SETUP_LOCK});
create schema if not exists flipgrad;
create table if not exists flipgrad.sweep (
  name text primary key,
  definition text not null,
  complete boolean not null default false,
  created timestamptz not null default now()
);
create table if not exists flipgrad.trial (
  sweep text not null references flipgrad.sweep on delete cascade,
  key text not null,
  trial text not null,
  crashes integer not null default 0,
  primary key (sweep, key)
);
create table if not exists flipgrad.result (
  sweep text not null,
  key text not null,
  outcome text not null,
  digest text not null,
  worker text not null,
  seconds double precision not null,
  finished timestamptz not null default now(),
  number bigserial,
  primary key (sweep, key),
  foreign key (sweep, key) references flipgrad.trial on delete cascade
);
create index if not exists result_number on flipgrad.result (sweep, number);
create table if not exists flipgrad.dispute (
  sweep text not null,
  key text not null,
  outcome text not null,
  worker text not null,
  at timestamptz not null default now(),
  foreign key (sweep, key) references flipgrad.trial on delete cascade
);
create table if not exists flipgrad.checkpoint (
  sweep text not null references flipgrad.sweep on delete cascade,
  run text not null,
  checkpoint text not null,
  file text not null,
  bytes bytea not null,
  primary key (sweep, run, checkpoint, file)
);
create table if not exists flipgrad.failure (
  sweep text not null,
  key text not null,
  attempt integer not null,
  outcome text not null,
  worker text not null,
  finished timestamptz not null,
  primary key (sweep, key, attempt),
  foreign key (sweep, key) references flipgrad.trial on delete cascade
);
do $$ begin
  if not exists (select from pg_attribute where attrelid = 'flipgrad.sweep'::regclass and attname = 'retries') then
    alter table flipgrad.sweep add column asked integer not null default 0, add column retries integer not null default 0;
    alter table flipgrad.trial add column attempt integer not null default 1;
  end if;
end $$;
commit;`;
