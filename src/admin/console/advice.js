// What is wrong with a cluster, and what to do about it. A pure function of a picture; the words are those of docs/operations.md.

const DAY = 86400;

const words = (text) => (text ?? '').split(' ').filter(Boolean);

/** A list of { level, what, todo }, the worst first. */
export function problems(picture) {
  const { nodes, groups, replicas } = picture.status;
  const out = [];
  const say = (level, what, todo) => out.push({ level, what, todo });
  const state = new Map(nodes.map((node) => [node.node, node.state]));
  const serves = (name) => ['up', 'disk full'].includes(state.get(name));
  for (const group of groups) {
    const voters = words(group.voters);
    const up = voters.filter(serves).length;
    const needed = Math.floor(voters.length / 2) + 1;
    const name = `Database ${group.database}`;
    if (voters.length && up < needed) {
      say('bad', `${name} has no majority: ${up} of ${voters.length} voters are up, ${needed} are needed`,
        `Writes and reads wait. Start the nodes ${voters.filter((v) => !serves(v)).join(', ')} again, or as many of them as it takes; they need no help. Stale reads go on (SET quorate.read_consistency = 'stale').`);
    } else if (!group.leader) {
      say('bad', `${name} has no leader`, 'An election is under way, which takes less than a second. If this stays, the voters do not reach each other: look at the network between their peer addresses.');
    } else if (voters.length > 1 && up === needed && up < voters.length) {
      say('warn', `${name}: one more failure stops it`, `${up} of ${voters.length} voters are up. Start ${voters.filter((v) => !serves(v)).join(', ')} again; if a disk is lost, with an empty directory.`);
    } else if (voters.length % 2 === 0 && voters.length > 0) {
      say('warn', `${name} has ${voters.length} voters`, 'An even number survives no more failures than one less. It becomes odd by itself when a further node stands by.');
    }
  }
  for (const node of nodes) {
    const { node: name } = node;
    if (node.state === 'down') say('bad', `${name} is down`, 'Nothing was heard of it for 1.5 s. Start it again; it needs no help. If its disk is lost, start it with the same configuration and an empty directory. If it will not come back: quorate node remove, or replace.');
    if (node.state === 'disk full') say('bad', `The disk of ${name} is full`, 'It takes no writes and has given up its leaderships. Make room: it goes on by itself.');
    if (node.state === 'joining') say('info', `${name} is joining`, 'It gets its data from the leader, and serves when it has caught up. Nothing is to be done.');
    if (node.unfit) say('warn', `${name} had better not lead: ${node.unfit}`, 'Leaders are elsewhere meanwhile. A clock: run NTP on every node. A slow disk: look after it.');
    else if (Math.abs(node.clock_ahead_ms ?? 0) > 250 + (node.clock_error_ms ?? 0)) say('warn', `The clock of ${name} is off by ${Math.round(node.clock_ahead_ms)} ms`, 'From 500 ms on it does not lead. Run NTP on every node.');
    if ((node.sync_ms ?? 0) > 100) say('warn', `The disk of ${name} takes ${Math.round(node.sync_ms)} ms for a sync`, 'Every write that it acknowledges waits for that. Look what else uses the disk.');
    if (node.certificate_expires) {
      const left = node.certificate_expires - picture.at / 1000;
      if (left < 0) say('bad', `The certificate of ${name} has ended`, 'Others refuse it. Put a new one in its place; it is read by itself within 30 s.');
      else if (left < 14 * DAY) say('warn', `The certificate of ${name} ends in ${Math.ceil(left / DAY)} days`, 'A node renews its own; if it is one of yours ([security] in its configuration), put a new one in its place.');
    }
  }
  const versions = [...new Set(nodes.filter((n) => n.version).map((n) => n.version))];
  if (versions.length > 1) say('info', `The nodes run ${versions.length} versions: ${versions.join(', ')}`, 'While the program is exchanged this is as it should be; finish it node by node (docs/upgrading.md).');
  for (const replica of replicas) {
    const where = `${replica.database} on ${replica.node}`;
    if (replica.state !== 'ok' && state.get(replica.node) !== 'down') {
      const todo = replica.state.startsWith('entry') ? 'It does not get past that entry of the log: quorate entry show, and docs/operations.md, "An entry that cannot be applied".'
        : replica.state.startsWith('installing') ? 'It is being replaced by the leader\'s state. Wait.'
        : replica.state.startsWith('diverged') ? 'It does not serve and is rebuilt by itself. Report it: this is a bug or a broken disk.'
        : replica.state.startsWith('damaged') ? 'It does not serve and is rebuilt by itself. Look after the disk.'
        : replica.state.endsWith('(trying again)') ? 'Its machine fails it. Mend the cause; it goes on by itself.'
        : 'Its files are damaged. Restart the node; if that does not help, replace it.';
      say(replica.state.startsWith('installing') ? 'info' : 'bad', `${where}: ${replica.state}`, todo);
    } else if (replica.lag > 10000) {
      say('warn', `${where} is ${replica.lag} entries behind`, 'It catches up by itself. If the number grows, its disk or its processor is too slow for what is written.');
    }
    if (replica.refuted_messages > 0) say('warn', `${where} has refused ${replica.refuted_messages} messages that no correct node can have sent`, 'Somebody else may speak on the peer port. Its log says from where.');
  }
  for (const group of groups) {
    const seen = new Map();
    for (const replica of replicas.filter((r) => r.database === group.database && r.state === 'ok')) {
      const known = seen.get(replica.applied_index);
      if (known && known.digest !== replica.digest) say('bad', `${known.node} and ${replica.node} differ in ${group.database} at entry ${replica.applied_index}`, 'Report it. The replica that differs from the majority is found by itself and rebuilt.');
      seen.set(replica.applied_index, replica);
    }
  }
  const free = picture.metrics.find((metric) => metric.name === 'quorate_disk_free_bytes');
  if (free && free.value > 0 && free.value < 2 ** 30) say('warn', `This node has ${Math.round(free.value / 2 ** 20)} MiB of disk left`, 'Below limits.disk_watermark_mib it takes no more writes. Make room.');
  if (picture.not_ready && !out.some((one) => one.level === 'bad')) say('warn', `This node does not serve: ${picture.not_ready}`, 'Clients of this node are refused meanwhile (/ready says when that ends); the others serve.');
  const order = ['bad', 'warn', 'info'];
  return out.sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}
