import { expect, test } from 'vitest';
import { environmentOf } from '../../cli/services.ts';

test('each service gets the secrets it needs and no other', () => {
  const env = { PATH: '/bin', JWT_SECRET_KEY: 'a', ADMIN_PASSWORD_FILE: 'b', ANNEAL_TOKEN: 'c', DATABASE_URL: 'd' };
  const namesFor = (service: string) => Object.keys(environmentOf(service, env));
  expect(namesFor('api')).toEqual(['PATH', 'JWT_SECRET_KEY', 'ADMIN_PASSWORD_FILE', 'DATABASE_URL']);
  expect(namesFor('serving')).toEqual(['PATH', 'JWT_SECRET_KEY', 'DATABASE_URL']);
  expect(namesFor('worker-training')).toEqual(['PATH', 'DATABASE_URL']);
});
