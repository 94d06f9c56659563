import { loadConfig } from '../lib/config.ts';
import { addressesOf } from './addresses.ts';
import { createRest } from './rest.ts';
import { fetchWith, tokenFor } from './session.ts';

/** The platform as a command meets it: with a token, behind ANNEAL_URL or on this machine. Throws as `tokenFor` does. */
export async function openSession() {
  const config = loadConfig();
  const urls = addressesOf(config);
  const token = await tokenFor(config, urls.api);
  const call = fetchWith(token);
  return { urls, token, api: createRest(call, urls.api), serving: createRest(call, urls.serving) };
}
