export { type RedisServer, startRedis } from '../../examples/servers/redis.js';
export { type ClusterNode, type RedisCluster, startRedisCluster } from '../../examples/servers/redis-cluster.js';
