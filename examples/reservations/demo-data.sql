-- What was there before any load test, and must be there unchanged after it. May be applied again and again.

INSERT INTO events (id, title, seats, price_cents) VALUES
  ('event-1',  'String quartet',        5000, 3500),
  ('event-2',  'Chamber choir',         5000, 2800),
  ('event-3',  'Open-air opera',        5000, 7900),
  ('event-4',  'Jazz at midnight',      5000, 2200),
  ('event-5',  'Organ matinee',         5000, 1500),
  ('event-6',  'Children''s theatre',   5000,  900),
  ('event-7',  'Film with orchestra',   5000, 4200),
  ('event-8',  'Poetry evening',        5000, 1200),
  ('event-9',  'Science slam',          5000, 1000),
  ('event-10', 'Small hall: cello solo',  25, 3900)
ON CONFLICT (id) DO NOTHING;

INSERT INTO users (id, email, name, created_at) VALUES
  ('ada',   'ada@example.org',   'Ada Kowalska',  '2026-01-05 09:00+00'),
  ('bruno', 'bruno@example.org', 'Bruno Silva',   '2026-01-06 10:30+00'),
  ('chioma','chioma@example.org','Chioma Eze',    '2026-01-07 18:45+00')
ON CONFLICT DO NOTHING;

INSERT INTO reservations (id, event_id, user_id, created_at) VALUES
  ('10000000-0000-4000-8000-000000000001', 'event-1',  'ada',    '2026-01-10 12:00+00'),
  ('10000000-0000-4000-8000-000000000002', 'event-3',  'ada',    '2026-01-10 12:05+00'),
  ('10000000-0000-4000-8000-000000000003', 'event-10', 'bruno',  '2026-01-11 08:15+00'),
  ('10000000-0000-4000-8000-000000000004', 'event-10', 'chioma', '2026-01-12 21:40+00')
ON CONFLICT (id) DO NOTHING;

INSERT INTO payments (id, reservation_id, amount_cents, created_at) VALUES
  ('20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 3500, '2026-01-10 12:01+00'),
  ('20000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000003', 3900, '2026-01-11 08:20+00')
ON CONFLICT DO NOTHING;

INSERT INTO queue_entries (id, event_id, user_id, created_at) VALUES
  ('30000000-0000-4000-8000-000000000001', 'event-10', 'ada', '2026-01-13 07:00+00')
ON CONFLICT DO NOTHING;
