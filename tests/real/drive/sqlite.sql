-- Inserts, an index, joins, full text, JSON, views, triggers, a window, a backup: all in memory.
.bail on
.headers on
CREATE TABLE person(id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT, born INT, note TEXT DEFAULT 'none' CHECK(length(note) < 200));
CREATE TABLE visit(id INTEGER PRIMARY KEY, person INT REFERENCES person(id), place TEXT, day INT, price REAL);
CREATE TABLE log(id INTEGER PRIMARY KEY, what TEXT);
CREATE TRIGGER visit_added AFTER INSERT ON visit WHEN new.day % 97 = 0 BEGIN INSERT INTO log(what) VALUES('visit ' || new.id); END;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
  INSERT INTO person(name, city, born) SELECT 'person ' || i, 'city ' || (i * 7919 % 50), 1940 + i % 70 FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000)
  INSERT INTO visit(person, place, day, price) SELECT i * 31 % 2000 + 1, 'place ' || (i % 200), i % 365, i % 1000 / 8.0 FROM n;
COMMIT;
CREATE INDEX visit_person ON visit(person, day);
CREATE INDEX person_city ON person(city COLLATE NOCASE) WHERE born > 1950;
CREATE UNIQUE INDEX person_name ON person(lower(name));
ANALYZE;
SELECT city, count(*), round(avg(price), 3) FROM person JOIN visit ON visit.person = person.id GROUP BY city ORDER BY 2 DESC, 1 LIMIT 8;
SELECT p.name, v.place FROM person p LEFT JOIN visit v ON v.person = p.id AND v.day = 10 WHERE p.id BETWEEN 5 AND 12 ORDER BY p.id, v.place;
SELECT name, born, rank() OVER (PARTITION BY city ORDER BY born, id) AS r FROM person WHERE city = 'city 3' ORDER BY r, name LIMIT 6;
SELECT count(DISTINCT place), group_concat(DISTINCT day % 5) FROM visit WHERE person IN (SELECT id FROM person WHERE born IN (1950, 1960, 1970));
SELECT count(*) FROM log;
CREATE VIEW busy AS SELECT person, count(*) AS n FROM visit GROUP BY person HAVING n > 3;
SELECT count(*), max(n) FROM busy;
SELECT a.id, b.id FROM busy x JOIN person a ON a.id = x.person JOIN person b ON b.born = a.born AND b.city = a.city AND b.id < a.id ORDER BY 1, 2 LIMIT 5;
UPDATE person SET note = 'seen ' || id WHERE id % 3 = 0;
DELETE FROM visit WHERE price > 100;
SELECT count(*), sum(price) FROM visit;
CREATE VIRTUAL TABLE doc USING fts5(title, body, tokenize = 'porter');
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
  INSERT INTO doc SELECT 'title ' || i, 'the quick brown fox number ' || i || ' jumps over lazy dogs and runs ' || (i * i % 37) || ' times' FROM n;
SELECT count(*) FROM doc WHERE doc MATCH 'jumping AND fox';
SELECT rowid, snippet(doc, 1, '<', '>', '…', 6) FROM doc WHERE doc MATCH 'NEAR(quick number) AND 36' ORDER BY rank, rowid LIMIT 4;
SELECT highlight(doc, 0, '[', ']') FROM doc WHERE doc MATCH '"title 77" OR title:88' ORDER BY rowid;
INSERT INTO doc(doc) VALUES('optimize');
CREATE VIRTUAL TABLE area USING rtree(id, x0, x1, y0, y1);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
  INSERT INTO area SELECT i, i % 50, i % 50 + 2, i / 50, i / 50 + 3 FROM n;
SELECT count(*), sum(id) FROM area WHERE x0 >= 10 AND x1 <= 20 AND y0 > 2;
CREATE TABLE event(body TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
  INSERT INTO event SELECT json_object('id', i, 'tags', json_array('a' || i, 'b', i % 4), 'user', json_object('name', 'u' || (i % 9), 'age', i % 80)) FROM n;
SELECT json_extract(body, '$.user.name') AS u, sum(json_extract(body, '$.id')), json_group_array(json_extract(body, '$.tags[2]')) FROM event WHERE json_extract(body, '$.id') <= 36 GROUP BY u ORDER BY u;
SELECT count(*) FROM event, json_each(event.body, '$.tags') WHERE json_each.value = 'b';
SELECT json_patch(json_set(body, '$.user.age', 7), '{"extra":{"deep":[1,2,3]}}') FROM event WHERE rowid = 5;
SELECT length(json_group_array(body)), json_array_length(json_group_array(body)) FROM event;
SELECT key, type, atom FROM event, json_tree(event.body) WHERE event.rowid = 2;
SELECT printf('%s|%08.3f|%q', 'x', 3.14159, 'it''s'), hex(zeroblob(4)), replace('banana', 'an', 'AN'), quote(x'00ff');
SELECT * FROM (VALUES (1, 'one'), (2, 'two')) UNION SELECT 3, 'three' EXCEPT SELECT 2, 'two' ORDER BY 1;
ALTER TABLE log ADD COLUMN extra TEXT;
ALTER TABLE log RENAME COLUMN what TO text;
SELECT sql FROM sqlite_schema WHERE name = 'log';
EXPLAIN QUERY PLAN SELECT * FROM visit WHERE person = 3 AND day > 4;
SAVEPOINT s; DELETE FROM person; ROLLBACK TO s; RELEASE s;
PRAGMA integrity_check;
PRAGMA table_info(person);
VACUUM;
.mode json
SELECT id, name FROM person LIMIT 2;
.mode box
SELECT id, city FROM person LIMIT 2;
.tables
.schema log
SELECT total_changes() > 0;
