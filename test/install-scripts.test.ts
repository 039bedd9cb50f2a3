/** Which packages run a program while they are installed: for users, and in a checkout. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const { allowScripts, scripts } = JSON.parse(read('package.json'));
interface Locked {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
  readonly link?: boolean;
}
const packages = Object.entries(JSON.parse(read('package-lock.json')).packages as Record<string, Locked>);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const withScript = packages.filter(([, { hasInstallScript }]) => hasInstallScript);

describe('install scripts', () => {
  test('a user’s installation runs that of koffi alone, which docs/security.md tells', () => {
    const users = withScript.filter(([, { dev, devOptional, peer }]) => !dev && !devOptional && !peer);
    assert.deepEqual(
      users.map(([path]) => nameOf(path)),
      ['koffi'],
    );
    assert.match(read('docs/security.md'), /^\| koffi \(optional; .*\| no: /m);
    for (const name of ['preinstall', 'install', 'postinstall']) assert.equal(scripts[name], undefined);
  });

  test('a checkout runs none but that of node', () => {
    assert.deepEqual(withScript.map(([path]) => nameOf(path)).sort(), Object.keys(allowScripts).sort());
    const allowed = Object.keys(allowScripts).filter((name) => allowScripts[name]);
    assert.deepEqual(allowed, ['node']);
  });

  test('the lock file has a checksum of every package, and no address', () => {
    for (const [path, { integrity, link }] of packages)
      if (path.includes('node_modules/') && !link) assert.match(integrity ?? '', /^sha512-/, path);
    assert.doesNotMatch(read('package-lock.json'), /"resolved": "https?:/);
  });
});
