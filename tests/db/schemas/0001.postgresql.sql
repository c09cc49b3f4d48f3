CREATE TABLE public.accessions (
    year integer NOT NULL,
    last integer NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.walks (
    id character varying(32) NOT NULL,
    accession character varying(32) NOT NULL,
    state character varying(16) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    title text NOT NULL,
    maker character varying(64) NOT NULL,
    parent character varying(32),
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
    words text NOT NULL
);
CREATE TABLE public.workers (
    name character varying(128) NOT NULL,
    pid integer NOT NULL,
    host text NOT NULL,
    device text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL
);
INSERT INTO public.accessions VALUES (2026, 3);
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.walks VALUES ('parent0000000000', 'ML.2026.0001', 'done', '2026-03-01 12:00:00+00', '2026-03-01 12:05:00+00', '2026-03-01 12:05:00+00', 'Café → sea', 'ada', NULL, '{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}', 'dddddddd', 'atelier', 'linear', 'lerp', 3, 16, 4, 256, '[[0, "k0"], [2, "k2"], [1, "k1"]]', 3, '', NULL, NULL, 1, 0, false, '', '', '', '', 3.5, 0, 0, 0, '[0.1, 0.2]', 0.9, 1, '{"gif": "saved_predictions/parent0000000000/a.gif"}', 8589934592, '', true, 'by the Stairs', 'cafe → sea ml.2026');
INSERT INTO public.walks VALUES ('child00000000000', 'ML.2026.0002', 'queued', '2026-03-02 12:00:00+00', NULL, NULL, 'Café → sea', 'bob', 'parent0000000000', '{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}', 'dddddddd', 'atelier', 'linear', 'lerp', 3, 16, 4, 256, '[]', 3, '', NULL, NULL, 0, 0, false, '', '', '', '', 0, 0, 0, 0, '[]', NULL, NULL, '{}', 0, '', false, '', 'cafe → sea ml.2026');
INSERT INTO public.walks VALUES ('failed0000000000', 'ML.2026.0003', 'failed', '2026-03-03 12:00:00+00', NULL, '2026-03-01 12:05:00+00', 'Café → sea', 'ada', NULL, '{"stops": [{"prompt": "Ein Caf\u00e9 bei Nacht", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}], "model": "atelier", "pacing": "linear", "interpolation": "lerp", "frames": 3, "steps": 16, "guidance": 4.0, "size": 256}', 'dddddddd', 'atelier', 'linear', 'lerp', 3, 16, 4, 256, '[]', 3, '', NULL, NULL, 0, 0, false, 'No memory.', '', '', '', 0, 0, 0, 0, '[]', NULL, NULL, '{}', 0, '', false, '', 'cafe → sea ml.2026');
INSERT INTO public.workers VALUES ('host-1', 4, 'host', 'cpu', '2026-03-01 00:00:00+00', '2026-03-01 00:00:00+00');
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.accessions
    ADD CONSTRAINT pk_accessions PRIMARY KEY (year);
ALTER TABLE ONLY public.walks
    ADD CONSTRAINT pk_walks PRIMARY KEY (id);
ALTER TABLE ONLY public.workers
    ADD CONSTRAINT pk_workers PRIMARY KEY (name);
ALTER TABLE ONLY public.walks
    ADD CONSTRAINT uq_walks_accession UNIQUE (accession);
CREATE INDEX ix_walks_digest ON public.walks USING btree (digest);
CREATE INDEX ix_walks_maker_created_at ON public.walks USING btree (maker, created_at);
CREATE INDEX ix_walks_parent ON public.walks USING btree (parent);
CREATE INDEX ix_walks_state_created_at ON public.walks USING btree (state, created_at);
CREATE INDEX ix_walks_state_finished_at ON public.walks USING btree (state, finished_at);
ALTER TABLE ONLY public.walks
    ADD CONSTRAINT fk_walks_parent FOREIGN KEY (parent) REFERENCES public.walks(id) ON DELETE SET NULL;
