import { readOptions, StartError } from './options.js';
import { startService } from './service.js';

try {
  const service = await startService(readOptions(process.env));
  process.stdout.write(`${JSON.stringify({ listening: service.port })}\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void service.stop());
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`reservations: ${error.message}\n`);
  process.exitCode = 1;
}
