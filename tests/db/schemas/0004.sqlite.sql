BEGIN TRANSACTION;
CREATE TABLE accessions (
	year INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	CONSTRAINT pk_accessions PRIMARY KEY (year)
);
INSERT INTO "accessions" VALUES(2026,3);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE deletions (
	walk_id VARCHAR(128) NOT NULL, 
	accession VARCHAR(32) NOT NULL, 
	deleted_at DATETIME NOT NULL, 
	files_deleted_at DATETIME, 
	CONSTRAINT pk_deletions PRIMARY KEY (walk_id)
);
CREATE TABLE stills (
	id VARCHAR(128) NOT NULL, 
	question VARCHAR(64) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	maker VARCHAR(64) NOT NULL, 
	spec JSON NOT NULL, 
	model TEXT NOT NULL, 
	leg INTEGER NOT NULL, 
	t DOUBLE NOT NULL, 
	owner VARCHAR(128), 
	"key" VARCHAR(64) NOT NULL, 
	error TEXT NOT NULL, asked_at DATETIME, 
	CONSTRAINT pk_stills PRIMARY KEY (id)
);
INSERT INTO "stills" VALUES('still00000000000','q','done','2026-03-04 12:00:00.000000','2026-03-04 12:00:01.000000','ada','{}','atelier',0,0.5,NULL,'k','',NULL);
CREATE TABLE tags (
	name VARCHAR(64) NOT NULL, 
	walk_id VARCHAR(128) NOT NULL, 
	CONSTRAINT pk_tags PRIMARY KEY (name, walk_id), 
	CONSTRAINT fk_tags_walk_id FOREIGN KEY(walk_id) REFERENCES walks (id) ON DELETE CASCADE
);
INSERT INTO "tags" VALUES('blue','parent0000000000');
CREATE TABLE votes (
	id INTEGER NOT NULL, 
	"left" VARCHAR(128) NOT NULL, 
	"right" VARCHAR(128) NOT NULL, 
	chosen VARCHAR(16) NOT NULL, 
	maker VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT pk_votes PRIMARY KEY (id), 
	CONSTRAINT fk_votes_left FOREIGN KEY("left") REFERENCES walks (id) ON DELETE CASCADE, 
	CONSTRAINT fk_votes_right FOREIGN KEY("right") REFERENCES walks (id) ON DELETE CASCADE
);
INSERT INTO "votes" VALUES(1,'parent0000000000','failed0000000000','left','ada','2026-03-04 12:00:00.000000');
CREATE TABLE "walks" (
	id VARCHAR(128) NOT NULL, 
	accession VARCHAR(32) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	created_at DATETIME NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	title TEXT NOT NULL, 
	maker VARCHAR(64) NOT NULL, 
	parent VARCHAR(128), 
	spec JSON NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	model TEXT NOT NULL, 
	pacing VARCHAR(32) NOT NULL, 
	interpolation VARCHAR(32) NOT NULL, 
	frames INTEGER NOT NULL, 
	steps INTEGER NOT NULL, 
	guidance DOUBLE NOT NULL, 
	size INTEGER NOT NULL, 
	progress JSON NOT NULL, 
	frames_total INTEGER NOT NULL, 
	stage VARCHAR(16) NOT NULL, 
	owner VARCHAR(128), 
	lease_until DATETIME, 
	attempt INTEGER NOT NULL, 
	deaths INTEGER NOT NULL, 
	cancel_requested BOOLEAN NOT NULL, 
	error TEXT NOT NULL, 
	device TEXT NOT NULL, 
	dtype VARCHAR(16) NOT NULL, 
	model_digest VARCHAR(64) NOT NULL, 
	seconds DOUBLE NOT NULL, 
	seconds_to_load DOUBLE NOT NULL, 
	frames_computed INTEGER NOT NULL, 
	unet_samples INTEGER NOT NULL, 
	distances JSON NOT NULL, 
	evenness DOUBLE, 
	sharpness DOUBLE, 
	files JSON NOT NULL, 
	bytes BIGINT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	star BOOLEAN NOT NULL, 
	notes TEXT NOT NULL, 
	words TEXT NOT NULL, 
	waiting BOOLEAN DEFAULT 0 NOT NULL, 
	turn INTEGER DEFAULT '0' NOT NULL, 
	troubles JSON DEFAULT '[]' NOT NULL, 
	sort_title VARCHAR(120) DEFAULT '' NOT NULL, 
	number BIGINT DEFAULT '0' NOT NULL, remote BOOLEAN DEFAULT 0 NOT NULL, due BIGINT DEFAULT '0' NOT NULL, edited_at DATETIME, recorded_at DATETIME, record_stored_at DATETIME, not_before DATETIME, edit_times JSON DEFAULT '{}' NOT NULL, machine_failures INTEGER DEFAULT '0' NOT NULL, origin VARCHAR(64) DEFAULT '' NOT NULL, ghosting DOUBLE, directness DOUBLE, 
	CONSTRAINT pk_walks PRIMARY KEY (id), 
	CONSTRAINT uq_walks_accession UNIQUE (accession), 
	CONSTRAINT fk_walks_parent FOREIGN KEY(parent) REFERENCES walks (id) ON DELETE SET NULL
);
INSERT INTO "walks" VALUES('parent0000000000','ML.2026.0001','done','2026-03-01 12:00:00.000000','2026-03-01 12:05:00.000000','2026-03-01 12:05:00.000000','Café → sea','ada',NULL,'{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}','dddddddd','atelier','linear','lerp',3,16,4.0,256,'[[0, "k0"], [2, "k2"], [1, "k1"]]',3,'',NULL,NULL,1,0,0,'','','','',3.5,0.0,0,0,'[0.1, 0.2]',0.9,1.0,'{"gif": "saved_predictions/parent0000000000/a.gif"}',8589934592,'',1,'by the Stairs','cafe sea ml 2026 0001 blue ein cafe bei nacht a stormy sea by the stairs',0,0,'[]','cafe sea',2026000000001,0,0,'2026-03-01 12:05:00.000000',NULL,NULL,NULL,'{}',0,'',NULL,NULL);
INSERT INTO "walks" VALUES('child00000000000','ML.2026.0002','queued','2026-03-02 12:00:00.000000',NULL,NULL,'Café → sea','bob','parent0000000000','{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}','dddddddd','atelier','linear','lerp',3,16,4.0,256,'[]',3,'',NULL,NULL,0,0,0,'','','','',0.0,0.0,0,0,'[]',NULL,NULL,'{}',0,'',0,'','cafe sea ml 2026 0002 ein cafe bei nacht a stormy sea',0,0,'[]','cafe sea',2026000000002,0,0,NULL,NULL,NULL,NULL,'{}',0,'',NULL,NULL);
INSERT INTO "walks" VALUES('failed0000000000','ML.2026.0003','failed','2026-03-03 12:00:00.000000',NULL,'2026-03-01 12:05:00.000000','Café → sea','ada',NULL,'{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}','dddddddd','atelier','linear','lerp',3,16,4.0,256,'[]',3,'',NULL,NULL,0,0,0,'No memory.','','','',0.0,0.0,0,0,'[]',NULL,NULL,'{}',0,'',0,'','cafe sea ml 2026 0003 ein cafe bei nacht a stormy sea',0,0,'[{"at": "2026-03-03T12:01:00+00:00", "attempt": 1, "reason": "Worker host-1 died"}]','cafe sea',2026000000003,0,0,NULL,NULL,NULL,NULL,'{}',0,'',NULL,NULL);
CREATE TABLE workers (
	name VARCHAR(128) NOT NULL, 
	pid INTEGER NOT NULL, 
	host TEXT NOT NULL, 
	device TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, boot_id TEXT DEFAULT '' NOT NULL, home TEXT DEFAULT '' NOT NULL, problem TEXT DEFAULT '' NOT NULL, process_start BIGINT DEFAULT '0' NOT NULL, failures INTEGER DEFAULT '0' NOT NULL, paused_until DATETIME, 
	CONSTRAINT pk_workers PRIMARY KEY (name)
);
INSERT INTO "workers" VALUES('host-1',4,'host','cpu','2026-03-01 00:00:00.000000','2026-03-01 00:00:00.000000','','','',0,0,NULL);
CREATE INDEX ix_walks_parent ON walks (parent);
CREATE INDEX ix_walks_maker_created_at ON walks (maker, created_at);
CREATE INDEX ix_walks_digest ON walks (digest);
CREATE INDEX ix_tags_walk_id ON tags (walk_id);
CREATE INDEX ix_votes_left ON votes ("left");
CREATE INDEX ix_votes_right ON votes ("right");
CREATE INDEX ix_walks_done_finished_at ON walks (finished_at, id, model, pacing, star, waiting, number) WHERE state = 'done';
CREATE INDEX ix_walks_done_sort_title ON walks (sort_title, id, finished_at, model, pacing, star, waiting, number) WHERE state = 'done';
CREATE INDEX ix_walks_done_frames_total ON walks (frames_total, id, finished_at, model, pacing, star, waiting, number) WHERE state = 'done';
CREATE INDEX ix_walks_in_line ON walks (turn, due, created_at, id, state, maker) WHERE state = 'queued' OR state = 'running';
CREATE INDEX ix_stills_question ON stills (question);
CREATE INDEX ix_stills_state_created_at ON stills (state, created_at);
CREATE INDEX ix_walks_done_evenness ON walks (coalesce(evenness, -1.0), id, finished_at, model, pacing, star, waiting, number, evenness) WHERE state = 'done';
CREATE INDEX ix_walks_given_up ON walks (state, finished_at) WHERE state = 'failed' OR state = 'cancelled';
CREATE INDEX ix_walks_stale_record ON walks (edited_at) WHERE state = 'done' AND edited_at > coalesce(recorded_at, '0001-01-01');
CREATE INDEX ix_deletions_accession ON deletions (accession);
CREATE UNIQUE INDEX ix_walks_number ON walks (number);
CREATE VIRTUAL TABLE walk_words USING fts5(words, content = '', detail = 'none', tokenize = 'ascii', prefix = '1 2 3');
INSERT INTO walk_words (rowid, words) SELECT number, words FROM walks;
CREATE TRIGGER walk_words_insert AFTER INSERT ON walks BEGIN INSERT INTO walk_words (rowid, words) VALUES (new.number, new.words); END;
CREATE TRIGGER walk_words_update AFTER UPDATE OF words, number ON walks BEGIN INSERT INTO walk_words (walk_words, rowid, words) VALUES ('delete', old.number, old.words); INSERT INTO walk_words (rowid, words) VALUES (new.number, new.words); END;
CREATE TRIGGER walk_words_delete AFTER DELETE ON walks BEGIN INSERT INTO walk_words (walk_words, rowid, words) VALUES ('delete', old.number, old.words); END;
COMMIT;
