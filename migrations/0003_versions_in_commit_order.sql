-- A version that is drawn while a transaction works is not in the order of the commits: a viewer that has seen 8 would
-- never ask for the 7 that commits after it. So it is drawn at the very end of the commit, by one transaction at a time;
-- the lock goes when the change can be seen. Nothing is waited for after it, so it takes part in no deadlock.
drop trigger generations_version on generations;
drop function generations_bump_version();

create function generations_draw_version() returns trigger language plpgsql as $$
begin
    -- "jobs" in ASCII and 4; 1 to 3 belong to the queue.
    perform pg_advisory_xact_lock(1785684595, 4);
    -- Once for a transaction that changed the row often: the first draw changes what the others look for.
    update generations set version = nextval('generation_versions') where id = new.id and version = new.version;
    return null;
end
$$;
create constraint trigger generations_version after insert or update on generations
    deferrable initially deferred
    for each row when (pg_trigger_depth() = 0) execute function generations_draw_version();
