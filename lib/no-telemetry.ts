// The packaged builds of ONNX Runtime report sessions and models to Microsoft from Linux and macOS too, and keep an
// identifier of the machine in the home directory. A self-hosted server tells nobody anything unasked. The library reads the
// variable once, before the first session; a thread only has a copy of the environment, so who starts one imports this too.
process.env['ORT_DISABLE_TELEMETRY'] = '1';
