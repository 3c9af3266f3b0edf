-- The reservation service's tables. May be applied again and again.

CREATE TABLE IF NOT EXISTS users (
  id         text PRIMARY KEY,
  email      text NOT NULL UNIQUE,
  name       text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS events (
  id          text PRIMARY KEY,
  title       text NOT NULL,
  seats       integer NOT NULL CHECK (seats >= 0),
  price_cents integer NOT NULL CHECK (price_cents >= 0)
);

-- user_id is no foreign key: the virtual users of a load test have no row in users. How many seats are left is never
-- written down but counted, so taking a test's rows out gives its seats back. Ids are random: no sequence remembers a test.
CREATE TABLE IF NOT EXISTS reservations (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  event_id   text NOT NULL REFERENCES events (id),
  user_id    text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS reservations_event_id ON reservations (event_id);
CREATE INDEX IF NOT EXISTS reservations_user_id ON reservations (user_id text_pattern_ops);

CREATE TABLE IF NOT EXISTS payments (
  id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  reservation_id uuid NOT NULL UNIQUE REFERENCES reservations (id),
  amount_cents   integer NOT NULL CHECK (amount_cents >= 0),
  created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS queue_entries (
  id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  event_id   text NOT NULL REFERENCES events (id),
  user_id    text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (event_id, user_id)
);
CREATE INDEX IF NOT EXISTS queue_entries_user_id ON queue_entries (user_id text_pattern_ops);

-- Takes a seat or, where none is left, a place in the queue. The lock comes first: the count after it is a statement of
-- its own, so it sees what whoever held the lock before has committed, and no seat is sold twice.
CREATE OR REPLACE FUNCTION reserve(event text, customer text, OUT outcome text, OUT reservation uuid)
LANGUAGE plpgsql AS $$
DECLARE
  capacity integer;
BEGIN
  SELECT seats INTO capacity FROM events WHERE id = event FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'unknown-event';
    RETURN;
  END IF;
  IF (SELECT count(*) FROM reservations WHERE event_id = event) < capacity THEN
    INSERT INTO reservations (event_id, user_id) VALUES (event, customer) RETURNING id INTO reservation;
    outcome := 'reserved';
  ELSE
    INSERT INTO queue_entries (event_id, user_id) VALUES (event, customer) ON CONFLICT DO NOTHING;
    outcome := 'sold-out';
  END IF;
END
$$;
