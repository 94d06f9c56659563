import type { DashboardSpec } from './panels.ts';

const DISKS = 'fstype!~"tmpfs|overlay|squashfs|ramfs"';

export const system: DashboardSpec = {
  uid: 'anneal-system',
  title: 'Anneal: system',
  panels: [
    {
      title: 'Up',
      description: '1 for each process that answers Prometheus',
      unit: 'short',
      type: 'stat',
      queries: { '{{job}} {{instance}}': 'up' },
    },
    {
      title: 'Processor of the machine',
      description: 'Share that is busy',
      unit: 'percentunit',
      max: 1,
      queries: {
        '{{instance}}': '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))',
      },
    },
    {
      title: 'Memory of the machine',
      description: 'Share that is used',
      unit: 'percentunit',
      max: 1,
      queries: { '{{instance}}': '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes' },
    },
    {
      title: 'Disks',
      description: 'Share that is free',
      unit: 'percentunit',
      max: 1,
      queries: {
        '{{instance}} {{mountpoint}}': `node_filesystem_avail_bytes{${DISKS}} / node_filesystem_size_bytes{${DISKS}}`,
      },
    },
    {
      title: 'Network',
      description: 'Received and sent',
      unit: 'Bps',
      queries: {
        'in {{instance}}': 'sum by (instance) (rate(node_network_receive_bytes_total[$__rate_interval]))',
        'out {{instance}}': 'sum by (instance) (rate(node_network_transmit_bytes_total[$__rate_interval]))',
      },
    },
    {
      title: 'Processors of the processes',
      description: 'Cores that each takes',
      unit: 'short',
      queries: { '{{service}}': 'sum by (service) (rate(process_cpu_seconds_total{service!=""}[$__rate_interval]))' },
    },
    {
      title: 'Memory of the processes',
      description: 'Resident',
      unit: 'bytes',
      queries: { '{{service}}': 'sum by (service) (process_resident_memory_bytes{service!=""})' },
    },
    {
      title: 'API',
      description: 'Requests to the control plane per second, by status',
      unit: 'reqps',
      queries: { '{{status}}': 'sum by (status) (rate(anneal_api_request_seconds_count[$__rate_interval]))' },
    },
    {
      title: 'Latency of the API',
      description: 'p95 by route; points are traces',
      unit: 's',
      queries: {
        '{{route}}': 'histogram_quantile(0.95, sum by (le, route) (rate(anneal_api_request_seconds_bucket[5m])))',
      },
    },
  ],
};
