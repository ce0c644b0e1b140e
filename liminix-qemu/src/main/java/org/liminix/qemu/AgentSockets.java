package org.liminix.qemu;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.UnixSocket;

/** The sockets behind the two serial ports of a guest agent. Closed with their machine. */
final class AgentSockets implements AutoCloseable {
  private final Map<String, UnixSocket.Listener> listeners = new LinkedHashMap<>();
  private final Map<String, UnixSocket> connected = new LinkedHashMap<>();

  private AgentSockets() {}

  static AgentSockets listen(RunDirectory directory) throws IOException {
    AgentSockets sockets = new AgentSockets();
    try {
      for (String id : new String[] {AgentPort.ID, AgentPrograms.ID}) {
        sockets.listeners.put(id, UnixSocket.listen(directory.socket(id)));
      }
      return sockets;
    } catch (IOException | RuntimeException e) {
      sockets.close();
      throw e;
    }
  }

  /** The words that have QEMU connect to them. */
  List<String> words() {
    return listeners.entrySet().stream()
        .flatMap(
            socket ->
                Stream.of(
                    "-chardev",
                    QemuCommandLine.connected(socket.getKey(), socket.getValue().path())))
        .toList();
  }

  /** Waits for QEMU, which connects to all of its sockets before it answers on any. */
  void accept(Deadline deadline) throws IOException {
    for (Map.Entry<String, UnixSocket.Listener> socket : listeners.entrySet()) {
      connected.put(socket.getKey(), socket.getValue().accept(deadline));
      socket.getValue().close();
    }
  }

  UnixSocket socket(String id) {
    return Objects.requireNonNull(connected.get(id));
  }

  @Override
  public void close() throws IOException {
    for (UnixSocket.Listener listener : listeners.values()) {
      listener.close();
    }
    for (UnixSocket socket : connected.values()) {
      socket.close();
    }
  }
}
