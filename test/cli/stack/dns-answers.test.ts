import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { answerDns } from '../../../cli/stack/dns-answers.ts';

test('what Prometheus would ask DNS for is answered with the addresses of all replicas, and the rest stays', () => {
  const configuration = `
global: { scrape_interval: 10s }
scrape_configs:
  - job_name: worker
    dns_sd_configs:
      - { names: [training], type: A, port: 9102 }
      - { names: [pipeline, absent], type: A, port: 9101 }
  - job_name: node
    static_configs: [{ targets: ['127.80.3.9:9100'] }]
`;
  const hosts = new Map([
    ['training', ['127.80.3.2', '127.80.3.3']],
    ['pipeline', ['127.80.3.4']],
  ]);
  expect(parse(answerDns(configuration, hosts))).toEqual({
    global: { scrape_interval: '10s' },
    scrape_configs: [
      { job_name: 'worker', static_configs: [{ targets: ['127.80.3.2:9102', '127.80.3.3:9102', '127.80.3.4:9101'] }] },
      { job_name: 'node', static_configs: [{ targets: ['127.80.3.9:9100'] }] },
    ],
  });
});
