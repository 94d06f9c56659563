import type { OpenTelemetryPlugin, OpenTelemetryPluginOptions } from '@temporalio/interceptors-opentelemetry';

export type TemporalPluginMaker = (options: OpenTelemetryPluginOptions) => Promise<OpenTelemetryPlugin>;

/** What traces workflows and activities; called, and its packages loaded, only when an exporter is configured. */
export const makeTemporalPlugin: TemporalPluginMaker = async (options) => {
  const { OpenTelemetryPlugin } = await import('@temporalio/interceptors-opentelemetry');
  return new OpenTelemetryPlugin(options);
};
