-- One index of a job's events instead of two: every transition writes them.
drop index job_events_job;
alter table job_events drop constraint job_events_pkey;
alter table job_events add constraint job_events_pkey primary key (job_id, id);
