package org.liminix.process;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Something that keeps what a report of a failure should have: a machine its console's transcript,
 * an ISP its events.
 */
public interface Evidence {
  /** A few lines on the state it is in, for the message of a failure. */
  String summary();

  /**
   * Writes what it has kept so far into files of an existing directory, whose names begin with its
   * own. It goes on as before.
   */
  void saveTo(Path directory) throws IOException;
}
