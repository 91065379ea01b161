-- The catalogue of models in the database, a second recipe, and what each call was bought as.

-- Append-only: of the rows of one model that begin on one day the newest counts, older ones are its history.
create table catalogue_rows (
    id         bigint      generated always as identity,
    provider   text        not null,
    model      text        not null,
    valid_from date        not null,
    -- The whole row as the crate `providers` reads it: inputs, limits, price rule.
    spec       jsonb       not null,
    -- The person who added it; none for rows of the file that comes with the program.
    added_by   uuid,
    reason     text,
    added_at   timestamptz not null default now(),

    constraint catalogue_rows_pkey primary key (id),
    constraint catalogue_rows_added_by foreign key (added_by) references users (id),
    constraint catalogue_rows_provider_known check (provider in ('fal', 'gemini')),
    constraint catalogue_rows_model_length check (length(model) between 1 and 200),
    constraint catalogue_rows_reason_length check (length(reason) between 1 and 500),
    constraint catalogue_rows_people_give_a_reason check (added_by is null or reason is not null)
);
create index catalogue_rows_model on catalogue_rows (provider, model, valid_from, id desc);

-- Append-only: the newest row of a model counts, whatever the catalogue's own rows say.
create table catalogue_retirements (
    id         bigint      generated always as identity,
    provider   text        not null,
    model      text        not null,
    -- First day it is not bought any more; null takes a retirement back.
    retires_on date,
    set_by     uuid        not null,
    reason     text        not null,
    set_at     timestamptz not null default now(),

    constraint catalogue_retirements_pkey primary key (id),
    constraint catalogue_retirements_set_by foreign key (set_by) references users (id),
    constraint catalogue_retirements_reason_length check (length(reason) between 1 and 500)
);
create index catalogue_retirements_model on catalogue_retirements (provider, model, id desc);

create function catalogue_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the catalogue is append-only' using errcode = 'restrict_violation';
end
$$;
create trigger catalogue_rows_append_only before update or delete on catalogue_rows
    for each row execute function catalogue_refuse_change();
create trigger catalogue_retirements_append_only before update or delete on catalogue_retirements
    for each row execute function catalogue_refuse_change();

alter table generations drop constraint generations_recipe;
alter table generations add constraint generations_recipe check (recipe in ('product_video', 'tryon_video'));

alter table calls add column ordered jsonb;
comment on column calls.ordered is 'What the price follows from: size and pictures of a still, length and size of a clip.';

-- Figures of models: what their calls took and how they ended.
create index calls_model on calls (provider, model, finished_at desc) where finished_at is not null;
