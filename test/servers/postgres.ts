export { type PostgresServer, startPostgres } from '../../examples/servers/postgres.js';
