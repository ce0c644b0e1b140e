package org.liminix.console;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** Tests of a console that is called router, at whose far end they are the guest. */
abstract class WithPeer {
  @TempDir Path directory;
  Peer guest;
  Console console;

  @BeforeEach
  void connect() throws IOException {
    guest = Peer.connect(directory, "router");
    console = guest.console();
  }

  @AfterEach
  void disconnect() throws IOException {
    guest.close();
  }
}
