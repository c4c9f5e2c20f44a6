// jest-light-runner gives its workers what they work with when they ask. Its answer to one goes to all, and to each only once: a
// worker that has not asked yet would miss it and wait for ever. So it is kept until it is asked for.
const question = 'jest-light-runner-get-worker-data';
const answerType = 'jest-light-runner-worker-data';

let answer;
const keep = (message) => {
  if (message?.type === answerType) answer = message;
};

if (process.send !== undefined) {
  // Node holds messages back until somebody listens: not before the worker itself does.
  process.on('newListener', function withTheWorker(event) {
    if (event !== 'message') return;
    process.off('newListener', withTheWorker);
    process.on('message', keep);
  });
  const send = process.send.bind(process);
  process.send = (message, ...rest) => {
    if (message !== question || answer === undefined) return send(message, ...rest);
    setImmediate(() => process.emit('message', answer));
    return true;
  };
}
