'use strict';
// Loaded before the app in workers: lets them finish what they serve before they leave. It does nothing until it is told to, and nothing in
// a program that is no worker (NODE_OPTIONS reaches every Node below the app).
const cluster = require('node:cluster');
const channels = require('node:diagnostics_channel');
const [major] = process.versions.node.split('.');

// Nothing says which servers there are before 20, nor in its first releases: there, `drains` is never said, and we are as if we were not here.
if (cluster.isWorker && process.connected && Number(major) >= 20) {
  const servers = new Set();
  const say = (act) => process.connected && process.send({ cmd: 'NODE_PMDEV', act }, () => {});
  channels.subscribe('tracing:net.server.listen:asyncEnd', ({ server }) => {
    servers.add(server);
    server.once('close', () => servers.delete(server));
    say('drains');
  });
  const open = (server) => new Promise((done) => server.getConnections((error, count) => done(error ? 0 : count)));
  let draining = false;
  const drain = () => {
    if (draining) return;
    draining = true;
    // Each answer from here on tells its client to come back over another connection.
    channels.subscribe('http.server.request.start', ({ response }) => {
      response.shouldKeepAlive = false;
    });
    const look = async () => {
      const counts = await Promise.all([...servers].map(open));
      if (counts.every((count) => count === 0)) say('drained');
      else setTimeout(look, 25);
    };
    look();
  };
  process.on('internalMessage', (message) => {
    if (message && message.cmd === 'NODE_PMDEV' && message.act === 'drain') drain();
  });
}
