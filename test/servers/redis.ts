export { type RedisServer, startRedis } from '../../examples/servers/redis.js';
