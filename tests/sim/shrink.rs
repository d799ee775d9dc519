//! A failing run is made smaller, for as long as it fails in the same way: fewer faults, clients, operations.

use super::plan::Plan;
use super::run;
use std::time::{Duration, Instant};

/// How long it is tried.
const PATIENCE: Duration = Duration::from_secs(40);

/// What can be left out of a plan, by name; each at most as often as it changes something.
fn cuts(plan: &Plan) -> Vec<(String, Plan)> {
    let mut cuts = Vec::new();
    let mut cut = |name: &str, change: &dyn Fn(&mut Plan)| {
        let mut less = plan.clone();
        change(&mut less);
        if format!("{less:?}") != format!("{plan:?}") {
            cuts.push((name.to_owned(), less));
        }
    };
    for fault in &plan.faults {
        cut(&format!("without{fault:?}"), &|plan| plan.faults.retain(|f| f != fault));
    }
    let half = |n: u64| if n > 1 { n / 2 } else { n };
    cut("clients/2", &|plan| plan.clients /= 2);
    cut("sessions/2", &|plan| plan.sessions = half(plan.sessions));
    cut("operations/2", &|plan| plan.operations /= 2);
    cut("transactions/2", &|plan| plan.transactions /= 2);
    cut("chaos/2", &|plan| plan.chaos = half(plan.chaos));
    cut("nodes=3", &|plan| plan.nodes = plan.nodes.min(3));
    cut("drop=0", &|plan| plan.drop = 0);
    cut("duplicate=0", &|plan| plan.duplicate = 0);
    cut("straggle=0", &|plan| (plan.straggle, plan.straggle_reads) = (0, 0));
    cut("double_submit=0", &|plan| plan.double_submit = 0);
    cut("lazy=0", &|plan| plan.lazy = 0);
    cut("crash_within=0", &|plan| plan.crash_within = 0);
    cut("skew=0", &|plan| (plan.skew, plan.drift) = (0, 0));
    cut("reads=0", &|plan| plan.reads = 0);
    cut("impatient=0", &|plan| plan.impatient = 0);
    cut("hang_up=0", &|plan| plan.hang_up = 0);
    cut("ddl=0", &|plan| plan.ddl = 0);
    cut("queue=0", &|plan| plan.queue = 0);
    cut("hard=0", &|plan| plan.hard = 0);
    cut("advisory=0", &|plan| plan.advisory = 0);
    cut("programs=0", &|plan| plan.programs = 0);
    cut("single=0", &|plan| plan.single = 0);
    cuts
}

/// The plan without what `QUORATE_SIM_CUTS` names.
pub fn cut(mut plan: Plan) -> Plan {
    let Ok(wanted) = std::env::var("QUORATE_SIM_CUTS") else { return plan };
    for name in wanted.split(',').filter(|name| !name.is_empty()) {
        let found = cuts(&plan).into_iter().find(|(cut, _)| cut == name);
        plan = found.unwrap_or_else(|| panic!("{name} cuts nothing off {plan:?}")).1;
    }
    plan
}

/// What an error is about: its first words, without numbers and digests.
fn kind(error: &str) -> String {
    let words = error.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| word.len() > 2 && word.chars().all(char::is_alphabetic)).take(4).collect::<Vec<_>>().join(" ")
}

/// The smallest plan found that fails as this one does; which cuts lead to it, and how it fails.
pub fn shorten(plan: Plan, error: &str) -> (Vec<String>, Plan, String) {
    let begun = Instant::now();
    let (mut made, mut plan, mut error) = (Vec::new(), plan, error.to_owned());
    loop {
        let smaller = cuts(&plan).into_iter().find_map(|(name, less)| {
            let left = begun.elapsed() < PATIENCE;
            let found = left.then(|| run(less.clone(), false).err()).flatten()?;
            (kind(&found) == kind(&error)).then_some((name, less, found))
        });
        match smaller {
            None => return (made, plan, error),
            Some((name, less, found)) => {
                made.push(name);
                (plan, error) = (less, found);
            }
        }
    }
}

#[test]
fn a_failing_plan_is_made_smaller() {
    use super::plan::{Bug, Fault};
    // Without readers, who would find it before the digests do, but not as surely with fewer operations.
    let plan = Plan { reads: 0, ..Plan::with_bug(0, Bug::ApplyNothing) };
    let error = run(plan.clone(), false).expect_err("one replica leaves everything out");
    let (cuts, short, same) = shorten(plan.clone(), &error);
    assert_eq!(kind(&same), kind(&error));
    assert!(!cuts.is_empty() && short.operations < plan.operations && short.clients <= 1, "{cuts:?} {short:?}");
    assert!(!short.faults.contains(&Fault::Crash), "it needs no fault: {short:?}");
}
