CREATE TABLE public.accessions (
    year integer NOT NULL,
    last integer NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.deletions (
    walk_id character varying(128) NOT NULL,
    accession character varying(32) NOT NULL,
    deleted_at timestamp with time zone NOT NULL,
    files_deleted_at timestamp with time zone
);
CREATE TABLE public.stills (
    id character varying(128) NOT NULL,
    question character varying(64) NOT NULL,
    state character varying(16) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    maker character varying(64) NOT NULL,
    spec json NOT NULL,
    model text NOT NULL,
    leg integer NOT NULL,
    t double precision NOT NULL,
    owner character varying(128),
    key character varying(64) NOT NULL,
    error text NOT NULL,
    asked_at timestamp with time zone
);
CREATE TABLE public.tags (
    name character varying(64) NOT NULL,
    walk_id character varying(128) NOT NULL
);
CREATE TABLE public.votes (
    id integer NOT NULL,
    "left" character varying(128) NOT NULL,
    "right" character varying(128) NOT NULL,
    chosen character varying(16) NOT NULL,
    maker character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.votes_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.votes_id_seq OWNED BY public.votes.id;
CREATE TABLE public.walks (
    id character varying(128) NOT NULL,
    accession character varying(32) NOT NULL,
    state character varying(16) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    title text NOT NULL,
    maker character varying(64) NOT NULL,
    parent character varying(128),
    spec json NOT NULL,
    digest character varying(64) NOT NULL,
    model text NOT NULL,
    pacing character varying(32) NOT NULL,
    interpolation character varying(32) NOT NULL,
    frames integer NOT NULL,
    steps integer NOT NULL,
    guidance double precision NOT NULL,
    size integer NOT NULL,
    progress json NOT NULL,
    frames_total integer NOT NULL,
    stage character varying(16) NOT NULL,
    owner character varying(128),
    lease_until timestamp with time zone,
    attempt integer NOT NULL,
    deaths integer NOT NULL,
    cancel_requested boolean NOT NULL,
    error text NOT NULL,
    device text NOT NULL,
    dtype character varying(16) NOT NULL,
    model_digest character varying(64) NOT NULL,
    seconds double precision NOT NULL,
    seconds_to_load double precision NOT NULL,
    frames_computed integer NOT NULL,
    unet_samples integer NOT NULL,
    distances json NOT NULL,
    evenness double precision,
    sharpness double precision,
    files json NOT NULL,
    bytes bigint NOT NULL,
    sha256 character varying(64) NOT NULL,
    star boolean NOT NULL,
    notes text NOT NULL,
    words text NOT NULL,
    waiting boolean DEFAULT false NOT NULL,
    turn integer DEFAULT 0 NOT NULL,
    troubles json DEFAULT '[]'::json NOT NULL,
    sort_title character varying(120) DEFAULT ''::character varying NOT NULL COLLATE pg_catalog."C",
    number bigint DEFAULT '0'::bigint NOT NULL,
    remote boolean DEFAULT false NOT NULL,
    due bigint DEFAULT '0'::bigint NOT NULL,
    edited_at timestamp with time zone,
    recorded_at timestamp with time zone,
    record_stored_at timestamp with time zone,
    not_before timestamp with time zone,
    edit_times json DEFAULT '{}'::json NOT NULL,
    machine_failures integer DEFAULT 0 NOT NULL,
    origin character varying(64) DEFAULT ''::character varying NOT NULL,
    ghosting double precision,
    directness double precision
);
CREATE TABLE public.workers (
    name character varying(128) NOT NULL,
    pid integer NOT NULL,
    host text NOT NULL,
    device text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    boot_id text DEFAULT ''::text NOT NULL,
    home text DEFAULT ''::text NOT NULL,
    problem text DEFAULT ''::text NOT NULL,
    process_start bigint DEFAULT '0'::bigint NOT NULL,
    failures integer DEFAULT 0 NOT NULL,
    paused_until timestamp with time zone
);
ALTER TABLE ONLY public.votes ALTER COLUMN id SET DEFAULT nextval('public.votes_id_seq'::regclass);
INSERT INTO public.accessions VALUES (2026, 3);
INSERT INTO public.alembic_version VALUES ('0004');
INSERT INTO public.stills VALUES ('still00000000000', 'q', 'done', '2026-03-04 12:00:00+00', '2026-03-04 12:00:01+00', 'ada', '{}', 'atelier', 0, 0.5, NULL, 'k', '', NULL);
INSERT INTO public.tags VALUES ('blue', 'parent0000000000');
INSERT INTO public.votes VALUES (1, 'parent0000000000', 'failed0000000000', 'left', 'ada', '2026-03-04 12:00:00+00');
INSERT INTO public.walks VALUES ('child00000000000', 'ML.2026.0002', 'queued', '2026-03-02 12:00:00+00', NULL, NULL, 'Café → sea', 'bob', 'parent0000000000', '{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}', 'dddddddd', 'atelier', 'linear', 'lerp', 3, 16, 4, 256, '[]', 3, '', NULL, NULL, 0, 0, false, '', '', '', '', 0, 0, 0, 0, '[]', NULL, NULL, '{}', 0, '', false, '', 'cafe sea ml 2026 0002 ein cafe bei nacht a stormy sea', false, 0, '[]', 'cafe sea', 2026000000002, false, 0, NULL, NULL, NULL, NULL, '{}', 0, '', NULL, NULL);
INSERT INTO public.walks VALUES ('failed0000000000', 'ML.2026.0003', 'failed', '2026-03-03 12:00:00+00', NULL, '2026-03-01 12:05:00+00', 'Café → sea', 'ada', NULL, '{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}', 'dddddddd', 'atelier', 'linear', 'lerp', 3, 16, 4, 256, '[]', 3, '', NULL, NULL, 0, 0, false, 'No memory.', '', '', '', 0, 0, 0, 0, '[]', NULL, NULL, '{}', 0, '', false, '', 'cafe sea ml 2026 0003 ein cafe bei nacht a stormy sea', false, 0, '[{"at": "2026-03-03T12:01:00+00:00", "attempt": 1, "reason": "Worker host-1 died"}]', 'cafe sea', 2026000000003, false, 0, NULL, NULL, NULL, NULL, '{}', 0, '', NULL, NULL);
INSERT INTO public.walks VALUES ('parent0000000000', 'ML.2026.0001', 'done', '2026-03-01 12:00:00+00', '2026-03-01 12:05:00+00', '2026-03-01 12:05:00+00', 'Café → sea', 'ada', NULL, '{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}', 'dddddddd', 'atelier', 'linear', 'lerp', 3, 16, 4, 256, '[[0, "k0"], [2, "k2"], [1, "k1"]]', 3, '', NULL, NULL, 1, 0, false, '', '', '', '', 3.5, 0, 0, 0, '[0.1, 0.2]', 0.9, 1, '{"gif": "saved_predictions/parent0000000000/a.gif"}', 8589934592, '', true, 'by the Stairs', 'cafe sea ml 2026 0001 blue ein cafe bei nacht a stormy sea by the stairs', false, 0, '[]', 'cafe sea', 2026000000001, false, 0, '2026-03-01 12:05:00+00', NULL, NULL, NULL, '{}', 0, '', NULL, NULL);
INSERT INTO public.workers VALUES ('host-1', 4, 'host', 'cpu', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00', '', '', '', 0, 0, NULL);
SELECT pg_catalog.setval('public.votes_id_seq', 1, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.accessions
    ADD CONSTRAINT pk_accessions PRIMARY KEY (year);
ALTER TABLE ONLY public.deletions
    ADD CONSTRAINT pk_deletions PRIMARY KEY (walk_id);
ALTER TABLE ONLY public.stills
    ADD CONSTRAINT pk_stills PRIMARY KEY (id);
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT pk_tags PRIMARY KEY (name, walk_id);
ALTER TABLE ONLY public.votes
    ADD CONSTRAINT pk_votes PRIMARY KEY (id);
ALTER TABLE ONLY public.walks
    ADD CONSTRAINT pk_walks PRIMARY KEY (id);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT pk_workers PRIMARY KEY (name);
ALTER TABLE ONLY public.walks
    ADD CONSTRAINT uq_walks_accession UNIQUE (accession);
CREATE INDEX ix_deletions_accession ON public.deletions USING btree (accession);
CREATE INDEX ix_stills_question ON public.stills USING btree (question);
CREATE INDEX ix_stills_state_created_at ON public.stills USING btree (state, created_at);
CREATE INDEX ix_tags_walk_id ON public.tags USING btree (walk_id);
CREATE INDEX ix_votes_left ON public.votes USING btree ("left");
CREATE INDEX ix_votes_right ON public.votes USING btree ("right");
CREATE INDEX ix_walks_digest ON public.walks USING btree (digest);
CREATE INDEX ix_walks_done_evenness ON public.walks USING btree (COALESCE(evenness, ('-1.0'::numeric)::double precision), id, finished_at, model, pacing, star, waiting, number, evenness) WHERE ((state)::text = 'done'::text);
CREATE INDEX ix_walks_done_finished_at ON public.walks USING btree (finished_at, id, model, pacing, star, waiting, number) WHERE ((state)::text = 'done'::text);
CREATE INDEX ix_walks_done_frames_total ON public.walks USING btree (frames_total, id, finished_at, model, pacing, star, waiting, number) WHERE ((state)::text = 'done'::text);
CREATE INDEX ix_walks_done_model ON public.walks USING btree (model) WHERE ((state)::text = 'done'::text);
CREATE INDEX ix_walks_done_pacing ON public.walks USING btree (pacing) WHERE ((state)::text = 'done'::text);
CREATE INDEX ix_walks_done_sort_title ON public.walks USING btree (sort_title, id, finished_at, model, pacing, star, waiting, number) WHERE ((state)::text = 'done'::text);
CREATE INDEX ix_walks_given_up ON public.walks USING btree (state, finished_at) WHERE (((state)::text = 'failed'::text) OR ((state)::text = 'cancelled'::text));
CREATE INDEX ix_walks_in_line ON public.walks USING btree (turn, due, created_at, id, state, maker) WHERE (((state)::text = 'queued'::text) OR ((state)::text = 'running'::text));
CREATE INDEX ix_walks_maker_created_at ON public.walks USING btree (maker, created_at);
CREATE UNIQUE INDEX ix_walks_number ON public.walks USING btree (number);
CREATE INDEX ix_walks_parent ON public.walks USING btree (parent);
CREATE INDEX ix_walks_stale_record ON public.walks USING btree (edited_at) WHERE (((state)::text = 'done'::text) AND (edited_at > COALESCE(recorded_at, '0001-01-01 00:00:00+00'::timestamp with time zone)));
CREATE INDEX ix_walks_words ON public.walks USING gin (array_to_tsvector(string_to_array(words, ' '::text)));
ALTER TABLE ONLY public.tags
    ADD CONSTRAINT fk_tags_walk_id FOREIGN KEY (walk_id) REFERENCES public.walks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.votes
    ADD CONSTRAINT fk_votes_left FOREIGN KEY ("left") REFERENCES public.walks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.votes
    ADD CONSTRAINT fk_votes_right FOREIGN KEY ("right") REFERENCES public.walks(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.walks
    ADD CONSTRAINT fk_walks_parent FOREIGN KEY (parent) REFERENCES public.walks(id) ON DELETE SET NULL;
