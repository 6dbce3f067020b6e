const { default: Sequencer } = require("@jest/test-sequencer");

/** Test files in the order of their names: the end-to-end ones begin with the number of their turn. */
module.exports = class extends Sequencer {
  sort(tests) {
    return [...tests].sort((a, b) => a.path.localeCompare(b.path));
  }
};
