package org.liminix.console;

import java.util.Arrays;
import java.util.Set;

/**
 * The options of one end of a Telnet connection, by the Q method (RFC 1143, section 7), so that no
 * loop of answers arises. This end asks for options and never against them, so the states WANTNO
 * and the queues of that method cannot occur. Guarded by its owner's lock.
 */
final class TelnetOptions {
  /** A peer that makes this end answer so often about one option loops; silence ends that. */
  private static final int MOST_ANSWERS = 100;

  enum State {
    NO,
    /** Asked for, not answered: WANTYES. */
    ASKED,
    YES
  }

  /** Sends a verb of an option. */
  interface Sender {
    void send(int verb, int option);
  }

  private final int agree;
  private final int refuse;
  private final Set<Integer> acceptable;
  private final Sender sender;
  private final State[] states = new State[256];
  private final int[] answers = new int[256];

  private TelnetOptions(int agree, int refuse, Set<Integer> acceptable, Sender sender) {
    this.agree = agree;
    this.refuse = refuse;
    this.acceptable = acceptable;
    this.sender = sender;
    Arrays.fill(states, State.NO);
  }

  /** Those of this end, of which the peer speaks with DO and DONT. */
  static TelnetOptions ours(Set<Integer> acceptable, Sender sender) {
    return new TelnetOptions(TelnetDecoder.WILL, TelnetDecoder.WONT, acceptable, sender);
  }

  /** Those of the peer, of which it speaks with WILL and WONT. */
  static TelnetOptions theirs(Set<Integer> acceptable, Sender sender) {
    return new TelnetOptions(TelnetDecoder.DO, TelnetDecoder.DONT, acceptable, sender);
  }

  State state(int option) {
    return states[option];
  }

  /** Asks for an option that is not in force. */
  void ask(int option) {
    if (states[option] == State.NO) {
      states[option] = State.ASKED;
      sender.send(agree, option);
    }
  }

  /** The peer has asked for the option, or agreed to it. */
  void agreed(int option) {
    if (states[option] == State.ASKED) {
      states[option] = State.YES;
    } else if (states[option] == State.NO) {
      if (acceptable.contains(option)) {
        states[option] = State.YES;
        answer(agree, option);
      } else {
        answer(refuse, option);
      }
    }
  }

  /** The peer has asked against the option, or refused it. */
  void refused(int option) {
    if (states[option] == State.YES) {
      answer(refuse, option);
    }
    states[option] = State.NO;
  }

  private void answer(int verb, int option) {
    if (answers[option]++ < MOST_ANSWERS) {
      sender.send(verb, option);
    }
  }
}
