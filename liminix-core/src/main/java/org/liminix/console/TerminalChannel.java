package org.liminix.console;

import java.io.IOException;
import java.nio.channels.ByteChannel;

/**
 * A channel whose far end wants to know how large the terminal is, as a Telnet server does (RFC
 * 1073). An {@link Attachment} tells it the size when a person joins and whenever the window
 * changes. A serial line has no means for that: there the person types {@code ^] s}.
 */
public interface TerminalChannel extends ByteChannel {
  /**
   * The size of the terminal from now on. Never called while a write is under way.
   *
   * @throws IOException if the far end is gone
   */
  void resize(int rows, int columns) throws IOException;
}
