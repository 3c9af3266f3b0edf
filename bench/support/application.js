// An application at work: writes a row every 10 ms until it is told to stop, and then tells how long each write took, in milliseconds.
// A process of its own: what the bench does meanwhile must not look like a wait of the database.
import pg from 'pg';

const client = new pg.Client({ connectionString: process.argv[2] });
await client.connect();
let going = true;
process.once('message', () => {
  going = false;
});
process.send('at work');
const took = [];
while (going) {
  const begun = performance.now();
  await client.query('UPDATE hits SET count = count + 1 WHERE id = 1');
  took.push(performance.now() - begun);
  await new Promise((resolve) => setTimeout(resolve, 10));
}
await client.end();
process.send(took);
process.disconnect();
