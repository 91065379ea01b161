//! Machines whose clocks are wrong: Postgres decides what is due, whatever a worker believes.
#![cfg(target_os = "linux")]

use crate::{
    click::wait_until,
    house::{entries_of, invoice},
    village::Village,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_clock_is_an_hour_off_works_like_any_other() {
    let none = [("SIMULATOR_STILL_DELAY_MS", "0"), ("SIMULATOR_CLIP_DELAY_MS", "300")];
    let village = Village::build(&none).await;
    for (name, shift, bought) in [("ahead", "+1h", 1), ("behind", "-1h", 2)] {
        let worker = village.worker_with_clock(shift);
        let generation = village.click(name).await;
        let end = wait_until(&village.ground.database, generation, |_| false).await;
        assert_eq!(end.state, "completed", "{shift}: {}", worker.log());
        let bill = invoice(&village.simulator).await;
        assert_eq!(entries_of(&bill, "fal"), bought, "{shift}: one clip each");
        assert_eq!(village.ground.database.paid().await, bill["total_micro_usd"].as_i64().unwrap(), "{shift}");
        let taken = "select count(*) from job_events where code = 'interrupted'";
        assert_eq!(village.ground.database.number(taken).await, 0, "{shift}: no lease ran out early");
        worker.kill();
    }
}
