import { expect, test } from 'vitest';
import { place, type Places } from '../../../cli/stack/places.ts';

const PLACES: Places = {
  hosts: new Map([
    ['postgres', ['127.80.3.2']],
    ['api', ['127.80.3.3', '127.80.3.4']],
    ['serving-1', ['127.80.3.5']],
    ['serving', ['127.80.3.6']],
  ]),
  own: '127.80.3.9',
  published: new Map([['8233', '127.80.3.7:8080']]),
  subnets: ['10.213.0.0/24'],
  paths: new Map([
    ['/tmp', '/tmp/stack/tmp'],
    ['/data', '/srv/data'],
    ['/data/deep', '/srv/deep'],
    ['/host', '/'],
    ['/var/lib/docker/containers', '/srv/logs'],
  ]),
};

test.each([
  ['postgres://anneal:secret@postgres:5432/anneal', 'postgres://anneal:secret@127.80.3.2:5432/anneal'],
  [
    'server api:8000 max_fails=1; server serving-1:8100;',
    'server 127.80.3.3:8000 max_fails=1; server 127.80.3.5:8100;',
  ],
  ['targets: [serving:8100, my-serving:8100]', 'targets: [127.80.3.6:8100, my-serving:8100]'],
  ['postgres', 'postgres'],
  ['/api/v1:8000 api: 8000 api.example:80', '/api/v1:8000 api: 8000 api.example:80'],
  ['0.0.0.0:9000', '127.80.3.9:9000'],
  ['http://127.0.0.1:8000/readyz', 'http://127.80.3.9:8000/readyz'],
  ['0.0.0.0/0 10.0.0.0 127.0.0.12', '0.0.0.0/0 10.0.0.0 127.0.0.12'],
  ['http://localhost:8233 localhost:9', 'http://127.80.3.7:8080 127.80.3.9:9'],
  ['10.213.0.0/24', '127.0.0.0/8'],
  ['/tmp', '/tmp/stack/tmp'],
  ['/tmp/nginx.conf', '/tmp/stack/tmp/nginx.conf'],
  ['--path=/data/deep/x', '--path=/srv/deep/x'],
  ['/data/deeper /database /x/data', '/srv/data/deeper /database /x/data'],
  ['--path.rootfs=/host', '--path.rootfs=/'],
  ['${env:LOGS:-/var/lib/docker/containers/*/*-json.log}', '${env:LOGS:-/srv/logs/*/*-json.log}'],
  ['/dev/stdout', '/dev/stdout'],
])('%s → %s', (text, placed) => {
  expect(place(text, PLACES)).toBe(placed);
});

test('where nothing has a place here, nothing but the own address changes', () => {
  const empty: Places = { hosts: new Map(), own: '127.80.3.9', published: new Map(), subnets: [], paths: new Map() };
  expect(place('a /tmp 0.0.0.0:1 x:80', empty)).toBe('a /tmp 127.80.3.9:1 x:80');
});
