import { expect, test } from 'vitest';
import { readComposeFile, servicesOf } from '../../../cli/stack/compose-file.ts';

const FILE = `
x-common: &common { LEVEL: '\${LEVEL:-info}', PRICE: '$$5' }
x-process: &process { stop_grace_period: 30s }
services:
  web: &web
    <<: *process
    image: web:\${VERSION:-dev}
    environment: { <<: [*common], PORT: 80, DEBUG: false, NAME: '\${NAME}' }
    depends_on: { db: { condition: service_healthy } }
  other:
    <<: *web
    environment: { LEVEL: warn }
    profiles: [full]
  db: { image: db, deploy: { replicas: 2 } }
`;

test('anchors, merge keys and variables come out as Compose reads them', () => {
  const { services } = readComposeFile(FILE, { VERSION: '1', LEVEL: '', NAME: undefined });
  expect(services['web']).toMatchObject({
    image: 'web:1',
    environment: { LEVEL: 'info', PRICE: '$5', PORT: '80', DEBUG: 'false', NAME: '' },
    stop_grace_period: 30,
  });
  expect(services['other']).toMatchObject({ image: 'web:1', environment: { LEVEL: 'warn' }, stop_grace_period: 30 });
  expect(services['other']!.environment).not.toHaveProperty('PORT');
  expect(services['db']).toMatchObject({ deploy: { replicas: 2 }, depends_on: {}, stop_grace_period: 10 });
});

test('a service without a profile is always started, another one by any of its profiles', () => {
  const file = readComposeFile(FILE, {});
  expect(servicesOf(file, [])).toEqual(['web', 'db']);
  expect(servicesOf(file, ['dev', 'full'])).toEqual(['web', 'other', 'db']);
});

test.each([
  ['an unknown dependency', 'a: { image: a, depends_on: { b: { condition: service_started } } }', /'b'/],
  ['a variable in a form of the shell', "a: { image: 'a:${X:?needed}' }", /\$\{X:\?needed\}/],
  ['a variable without braces', "a: { image: 'a:$X' }", /a:\$X/],
  ['a command that is one text', 'a: { image: a, command: run this }', /services\.a\.command/],
])('%s is refused by name', (_, services, message) => {
  expect(() => readComposeFile(`services:\n  ${services}`, {})).toThrow(message);
});
