/**
 * The words of loadctl's own files and of k6's summaries: names of fields, kinds of events, verdicts. A secret that is spelled
 * like a part of one of them would garble every file if it was taken out everywhere.
 */
export const ownWords = `
abort aborted abortOnFail actual after aggregator allow allowed allowedLoss archiveSha256 as at attempts availability avg backend before
beyondLoopback blue bounds bug by cache caches calls cause checks choices cleanup cleanup-not-proven client code colours columns command
contains count countedBefore counter cpus criteria critical data data_received data_sent database databases db default delayAbortEval
deleted detail directory directory-lost done draws dropped_iterations dryRun duration durationMs elapsedMs ended endpoints endpointsInAll
entries env environment environmentOf error errors everything exec executor exitCode exitCodes expires fail failedRequests fails false fatal
file finishedAt fleet-released fleet-sampled fleet-stopped flush for freeMemory from gauge good gracefulStop green groups grpc guards handle
hash headers health health-probed healthy high hint host hostK6 hosts how http http_req_blocked http_req_connecting http_req_duration
http_req_failed http_req_receiving http_req_sending http_req_tls_handshaking http_req_waiting http_reqs https id image index info
interrupted invalid invalid-profile iteration_duration iterations iterationsPerSecond jsonPath judged k6 k6Version keep key keys kind
latency left level limit live-colour live-colour-found load load-ended loadctl loadctl_begin local lock-lost lock-regained lookup lost
lostShare low machineCpu markedFailed match max maxVus med members memory message method metric metrics min mix monitors name namespace
no-data node not-measured noted notes null object onLost operator options order others outcome outputs overMs overrides p50 p95 p99 pacing
pass passed passes path pause peak percentile perSecond phase phase-finished phase-started pid plan planHash ports postgres prefix
processCpu processMemory profile proof proven ramp random range rate ready readyTimeout reason reasons receipt receipt-made redis refused
request requests requestsPerSecond result-invalid role root_group rootGroup rows rule run run-opened runner runner-ended runner-lost
runner-ready runner-short runner-started runners runnersReporting sample scenario scenarios schema script script-threw scriptFiles
scriptThresholds seed seeding-failed segment sequence server sessions settle setup setup-finished setup_data sha256 shard shardBy shards
shared-iterations sharedStores signal skewMs sla sla-failed source sql staging standIns start-skew-measured startedAt startTime stat
statements status stderr stdout steady step step-failed step-finished step-progressed step-started steps stop stopped store stores strategy
string submetrics sum summary summary-handled summaryTrendStats table tagged tags target teardown teardown-cut-off teardown-finished
teardown-started test test-aborted test-failed text threshold thresholds throughput time timeUnit title to total totalMs trend true type
unavailable undecided unit unknown url usage user users uuid value values variables verdict verify version versions via vus vus_max warned
warnings what when which window workload written writtenAgain
`;
