-- A price that was added for a day to come can be withdrawn before that day.

-- Append-only: of the rows of a model that begin on a day, those up to `row_id` do not count.
create table catalogue_withdrawals (
    id           bigint      generated always as identity,
    provider     text        not null,
    model        text        not null,
    valid_from   date        not null,
    -- The newest row of that day when it was withdrawn: one that is added later counts.
    row_id       bigint      not null,
    withdrawn_by uuid        not null,
    reason       text        not null,
    withdrawn_at timestamptz not null default now(),

    constraint catalogue_withdrawals_pkey primary key (id),
    constraint catalogue_withdrawals_row foreign key (row_id) references catalogue_rows (id),
    constraint catalogue_withdrawals_withdrawn_by foreign key (withdrawn_by) references users (id),
    constraint catalogue_withdrawals_reason_length check (length(reason) between 1 and 500)
);
create index catalogue_withdrawals_model on catalogue_withdrawals (provider, model, valid_from, row_id desc);

create trigger catalogue_withdrawals_append_only before update or delete on catalogue_withdrawals
    for each row execute function catalogue_refuse_change();
