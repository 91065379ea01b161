-- Requests that are sent again: which try of one holds its key, and what a generation was asked for. Try-on images are
-- pictures of people: they are kept for as long as something may use them.

-- Which try holds the key: one that was taken for dead keeps no answer and lets go of nothing any more.
alter table api_answers add column claim_id uuid;

-- Answers are kept for a day, generations for ever: the same key with another request is refused after that day as well.
alter table generations add column request_sha256 bytea;
comment on column generations.request_sha256 is 'Of the request that made it; none where its key was made for one click.';
alter table generations add constraint generations_request_sha256_length check (length(request_sha256) = 32);

alter table tryon_images
    -- Since when nothing is made of it any more.
    add column removed_at timestamptz,
    -- Since when its picture is gone from the object store.
    add column erased_at  timestamptz,
    add constraint tryon_images_erased check (erased_at is null or removed_at is not null);
-- Retention.
create index tryon_images_kept on tryon_images (created_at) where erased_at is null;
create index generations_tryon_image on generations (tryon_image_id) where tryon_image_id is not null;
