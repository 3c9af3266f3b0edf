/**
 * What k6's exit codes mean for us
 * (https://github.com/grafana/k6/blob/master/errext/exitcodes/codes.go; tried with v2.2).
 */
export const k6Exit = {
  cloudRunFailed: 97,
  cloudProgressLost: 98,
  thresholdsFailed: 99,
  setupTimeout: 100,
  teardownTimeout: 101,
  stoppedByRest: 103,
  invalidConfig: 104,
  interrupted: 105,
  restPortTaken: 106,
  scriptException: 107,
  testAborted: 108,
  panic: 109,
  markedFailed: 110,
} as const;
