package org.liminix.console;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/**
 * Takes the commands out of what a Telnet peer sends (RFC 854, RFC 855), wherever reads cut it, and
 * doubles what must be doubled in what is sent. Confined to its reader; encoding is stateless.
 */
final class TelnetDecoder {
  static final int IAC = 255;
  static final int DONT = 254;
  static final int DO = 253;
  static final int WONT = 252;
  static final int WILL = 251;
  static final int SB = 250;
  static final int BREAK = 243;
  static final int SE = 240;

  /** A subnegotiation longer than this is line noise; what follows is data again. */
  static final int LONGEST_SUBNEGOTIATION = 4096;

  /** Learns what is not data, in its order among the data. */
  interface Handler {
    /** A command without an option: NOP, BREAK, GO AHEAD. */
    void command(int command);

    /** WILL, WONT, DO or DONT. */
    void negotiation(int verb, int option);

    /** What stood between SB and SE. */
    void subnegotiation(int option, byte[] parameters);

    /** Whether the peer sends binary (RFC 856), in which CR stands for itself. */
    boolean receivesBinary();
  }

  private enum State {
    DATA,
    COMMAND,
    OPTION,
    SUBNEGOTIATION_OPTION,
    SUBNEGOTIATION,
    SUBNEGOTIATION_COMMAND
  }

  private final Handler handler;
  private final ByteArrayOutputStream parameters = new ByteArrayOutputStream();
  private State state = State.DATA;
  private boolean carriageReturn;
  private int verb;
  private int option;

  TelnetDecoder(Handler handler) {
    this.handler = handler;
  }

  /** Moves the data of the input to the output, which must have room for as much. */
  void decode(ByteBuffer input, ByteBuffer output) {
    while (input.hasRemaining()) {
      accept(input.get() & 0xff, output);
    }
  }

  private void accept(int b, ByteBuffer output) {
    switch (state) {
      case DATA -> {
        if (b == IAC) {
          state = State.COMMAND;
        } else {
          data(b, output);
        }
      }
      case COMMAND -> command(b, output);
      case OPTION -> {
        state = State.DATA;
        handler.negotiation(verb, b);
      }
      case SUBNEGOTIATION_OPTION -> {
        option = b;
        parameters.reset();
        state = State.SUBNEGOTIATION;
      }
      case SUBNEGOTIATION -> {
        if (b == IAC) {
          state = State.SUBNEGOTIATION_COMMAND;
        } else {
          parameter(b);
        }
      }
      case SUBNEGOTIATION_COMMAND -> {
        if (b == IAC) {
          state = State.SUBNEGOTIATION;
          parameter(b);
        } else if (b == SE) {
          state = State.DATA;
          handler.subnegotiation(option, parameters.toByteArray());
        } else {
          // RFC 855 knows nothing else here: the end was lost, and this is the next command.
          command(b, output);
        }
      }
    }
  }

  private void data(int b, ByteBuffer output) {
    // RFC 854: CR NUL stands for CR, and CR LF, a new line, for both.
    boolean padding = carriageReturn && b == 0 && !handler.receivesBinary();
    carriageReturn = b == '\r';
    if (!padding) {
      output.put((byte) b);
    }
  }

  private void command(int b, ByteBuffer output) {
    state = State.DATA;
    switch (b) {
      case IAC -> data(b, output);
      case WILL, WONT, DO, DONT -> {
        verb = b;
        state = State.OPTION;
      }
      case SB -> state = State.SUBNEGOTIATION_OPTION;
      default -> handler.command(b);
    }
  }

  private void parameter(int b) {
    parameters.write(b);
    if (parameters.size() > LONGEST_SUBNEGOTIATION) {
      state = State.DATA;
    }
  }

  /** Data as it is sent: IAC doubled, and a lone CR followed by NUL unless it is sent binary. */
  static ByteBuffer encode(ByteBuffer data, boolean binary) {
    ByteBuffer encoded = ByteBuffer.allocate(2 * data.remaining());
    while (data.hasRemaining()) {
      byte b = data.get();
      encoded.put(b);
      if ((b & 0xff) == IAC) {
        encoded.put(b);
      } else if (b == '\r' && !binary) {
        boolean newLine = data.hasRemaining() && data.get(data.position()) == '\n';
        encoded.put(newLine ? data.get() : 0);
      }
    }
    return encoded.flip();
  }

  static ByteBuffer subnegotiation(int option, byte[] parameters) {
    ByteBuffer content = encode(ByteBuffer.wrap(parameters), true);
    return ByteBuffer.allocate(content.remaining() + 5)
        .put((byte) IAC)
        .put((byte) SB)
        .put((byte) option)
        .put(content)
        .put((byte) IAC)
        .put((byte) SE)
        .flip();
  }
}
