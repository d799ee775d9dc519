#!/usr/bin/env bash
# Buildbot: a master made by its own commands, a worker, builds forced through its web API, their steps and logs read back.
source "$(dirname "$0")/common.sh"
python_packages 'buildbot[bundle]==4.3.0' psycopg2-binary==2.9.13
fresh_cluster 2
cd "$dir"
buildbot create-master --db="postgresql+psycopg2://$name:$PGPASSWORD@127.0.0.1:$port/$name" master >create.log 2>&1
cat > master/master.cfg <<C
from buildbot.plugins import *
c = BuildmasterConfig = {}
c["workers"] = [worker.Worker("worker", "$PGPASSWORD")]
c["protocols"] = {"pb": {"port": "tcp:${ports[10]}:interface=127.0.0.1"}}
c["schedulers"] = [schedulers.ForceScheduler(name="force", builderNames=["check"]),
                   schedulers.Triggerable(name="after", builderNames=["report"])]
check = util.BuildFactory([
    steps.SetPropertyFromCommand(command=["echo", util.Interpolate("made of %(prop:reason)s")], property="made"),
    steps.ShellCommand(command=["seq", "300"], name="count"),
    steps.ShellCommand(command=["sh", "-c", "echo no; exit 1"], name="fails", flunkOnFailure=False, warnOnFailure=True),
    steps.Trigger(schedulerNames=["after"], waitForFinish=True)])
c["builders"] = [util.BuilderConfig(name="check", workernames=["worker"], factory=check),
                 util.BuilderConfig(name="report", workernames=["worker"], factory=util.BuildFactory([steps.ShellCommand(command=["date"])]))]
c["www"] = {"port": "tcp:${ports[9]}:interface=127.0.0.1", "plugins": {"waterfall_view": {}, "console_view": {}, "grid_view": {}}}
c["buildbotURL"] = "http://127.0.0.1:${ports[9]}/"
c["db"] = {"db_url": "postgresql+psycopg2://$name:$PGPASSWORD@127.0.0.1:$port/$name"}
c["buildbotNetUsageData"] = None
c["configurators"] = [util.JanitorConfigurator(logHorizon=__import__("datetime").timedelta(weeks=4), hour=12, dayOfWeek=6)]
C
buildbot upgrade-master master >upgrade.log 2>&1 || { tail -n 30 upgrade.log; exit 1; }
buildbot checkconfig master/master.cfg
buildbot-worker create-worker worker "127.0.0.1:${ports[10]}" worker "$PGPASSWORD" >create.log
run app buildbot start --nodaemon master
run worker buildbot-worker start --nodaemon worker
under_kill "$python" "$here/buildbot_use.py" "http://127.0.0.1:${ports[9]}"
all_agree
