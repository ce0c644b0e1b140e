package org.liminix.console;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Turns what a terminal would show into plain text: UTF-8 decoded across chunk borders, malformed
 * bytes replaced by U+FFFD, the control sequences of ECMA-48 (5th edition, sections 5.3 to 5.6)
 * dropped, NULs dropped, and line ends, which a tty may send as CR LF or CR CR LF, made one
 * newline.
 */
final class TerminalDecoder {
  /** A control string longer than this is line noise; what follows is text again. */
  private static final int LONGEST_CONTROL_STRING = 4096;

  private static final char ESCAPE = 0x1b;
  private static final char BELL = 0x07;
  private static final char CANCEL = 0x18;
  private static final char SUBSTITUTE = 0x1a;

  private enum State {
    TEXT,
    ESCAPED,
    SEQUENCE,
    STRING,
    STRING_ESCAPED
  }

  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private final ByteBuffer undecoded = ByteBuffer.allocate(16);
  private State state = State.TEXT;
  private int controlLength;
  private boolean carriageReturn;

  private char[] output = new char[0];
  private int outputLength;

  /**
   * Decodes a chunk.
   *
   * @return how many characters of {@link #output()} it came to
   */
  int decode(ByteBuffer input) {
    CharBuffer chars = CharBuffer.allocate(undecoded.position() + input.remaining() + 1);
    // Bytes of a character that the last chunk cut are completed one at a time.
    while (undecoded.position() > 0 && input.hasRemaining()) {
      undecoded.put(input.get()).flip();
      utf8.decode(undecoded, chars, false);
      undecoded.compact();
    }
    utf8.decode(input, chars, false);
    undecoded.put(input);
    chars.flip();

    // One more than the input: a held-back carriage return.
    output = output.length > chars.length() ? output : new char[chars.length() + 1];
    outputLength = 0;
    while (chars.hasRemaining()) {
      accept(chars.get());
    }
    return outputLength;
  }

  char[] output() {
    return output;
  }

  private void accept(char c) {
    switch (state) {
      case TEXT -> acceptText(c);
      case ESCAPED -> {
        if (c == '[') {
          state = State.SEQUENCE;
        } else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') {
          state = State.STRING;
          controlLength = 0;
        } else if (c < 0x20 || c > 0x2f) {
          state = c == ESCAPE ? State.ESCAPED : State.TEXT;
        }
      }
      case SEQUENCE -> {
        // Parameter and intermediate bytes are 0x20 to 0x3f; anything else ends the sequence.
        if (c == ESCAPE) {
          state = State.ESCAPED;
        } else if (c < 0x20) {
          state = c == CANCEL || c == SUBSTITUTE ? State.TEXT : state;
          acceptText(c);
        } else if (c > 0x3f) {
          state = State.TEXT;
        }
      }
      case STRING, STRING_ESCAPED -> {
        boolean ended = c == BELL || c == CANCEL || (state == State.STRING_ESCAPED && c == '\\');
        if (ended || ++controlLength > LONGEST_CONTROL_STRING) {
          state = State.TEXT;
        } else if (c < 0x20 && c != ESCAPE) {
          // No title or colour spans lines: what began it was a damaged character.
          state = State.TEXT;
          acceptText(c);
        } else {
          state = c == ESCAPE ? State.STRING_ESCAPED : State.STRING;
        }
      }
    }
  }

  private void acceptText(char c) {
    if (c == '\r') {
      carriageReturn = true;
      return;
    }
    if (carriageReturn && c != '\n' && c != 0) {
      emit('\r'); // it was not a line end: a progress bar, say
    }
    carriageReturn = carriageReturn && c == 0;
    if (c == ESCAPE) {
      state = State.ESCAPED;
    } else if (c != 0) {
      emit(c);
    }
  }

  private void emit(char c) {
    output[outputLength++] = c;
  }
}
