package org.liminix.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.MacAddress;
import org.liminix.net.Plug;
import org.liminix.net.Segment;
import org.liminix.net.Segments;
import org.liminix.net.internal.Annex;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The namespaces of a {@link LinuxHost}, user, network, mount, PID and UTS, and the process that
 * holds them and carries frames between its network cards and their segments, {@code namespace.pl}.
 *
 * <p>Perl, which every Debian has, because the alternatives lose: a QEMU without a machine takes
 * ten times as long to start and carries a fifth, and the JVM itself can open no network card.
 */
final class LinuxNamespace implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LinuxNamespace.class);

  private static final Duration START = Duration.ofSeconds(30);
  private static final Duration END = Duration.ofSeconds(10);
  private static final String READY = "ready ";

  private final String name;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final RunDirectory directory;
  private final SupervisedProcess process;
  private final UnixSocket control;
  private final long pid;

  private LinuxNamespace(
      LinuxHostSpec spec, String name, List<MacAddress> addresses, Segments segments)
      throws IOException {
    this.name = name;
    try {
      directory = keep(RunDirectory.create(name));
      List<String> cards = new ArrayList<>();
      StringBuilder batch = new StringBuilder("link set dev lo up\n");
      for (int i = 0; i < spec.cards().size(); i++) {
        LinuxCard card = spec.cards().get(i);
        String device = "eth" + i;
        plug(segments.get(card.network()), directory.socket(device + ".sock"));
        cards.add(device);
        batch.append(card.commands(device, addresses.get(i)));
      }
      Files.writeString(directory.file("ip.batch"), batch);
      Files.writeString(directory.file("resolv.conf"), resolver(spec.dns()));
      for (String file : new String[] {"namespace.pl", "setup.sh", "lease.sh"}) {
        copyResource(file);
      }
      UnixSocket.Listener listener = keep(UnixSocket.listen(directory.socket("control")));
      process = keep(launch(spec, cards));
      var unused = process.exit().thenRun(() -> closeQuietly(listener));
      control = keep(accept(listener));
      pid = awaitReady(segments.loop());
    } catch (RuntimeException | IOException e) {
      release();
      throw e;
    }
  }

  static LinuxNamespace start(
      LinuxHostSpec spec, String name, List<MacAddress> addresses, Segments segments) {
    try {
      return new LinuxNamespace(spec, name, addresses, segments);
    } catch (IOException e) {
      throw new LinuxHostException("Cannot start " + name + ": " + e, e);
    }
  }

  private <T extends AutoCloseable> T keep(T resource) {
    resources.push(resource);
    return resource;
  }

  private void plug(Segment segment, Path socket) {
    Plug plug = keep(segment.plug(name, socket));
    if (plug instanceof Plug.Multicast) {
      // A group is joined in the network namespace of this JVM only.
      keep(Annex.open(segment, name, socket, Annex.OPEN));
    }
  }

  private static String resolver(List<InetAddress> servers) {
    StringBuilder lines = new StringBuilder();
    servers.forEach(server -> lines.append("nameserver %s\n".formatted(HostAddress.text(server))));
    return lines.toString();
  }

  private void copyResource(String file) throws IOException {
    try (InputStream in = LinuxNamespace.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IOException("The library lacks its file " + file);
      }
      Files.copy(in, directory.file(file));
    }
  }

  private SupervisedProcess launch(LinuxHostSpec spec, List<String> cards) {
    List<String> command = new ArrayList<>(List.of("env", "LC_ALL=C"));
    command.add("PATH=" + path());
    if (spec.forwarding()) {
      command.add("LIMINIX_FORWARDING=1");
    }
    command.add(NamespaceSupport.tool("perl"));
    command.add(directory.file("namespace.pl").toString());
    command.add(directory.path().toString());
    command.add(spec.hostname(name));
    command.addAll(cards);
    NamespaceSupport.tool("ip");
    NamespaceSupport.tool("mount");
    return SupervisedProcess.of(NamespaceSupport.inNewNamespaces(command))
        .directory(directory)
        .logName("namespace.log")
        .start();
  }

  /** Where programs are looked for in it, by one who is root there. */
  static String path() {
    String inherited = Optional.ofNullable(System.getenv("PATH")).orElse("/usr/bin:/bin");
    return inherited + ":/usr/local/sbin:/usr/sbin:/sbin";
  }

  private UnixSocket accept(UnixSocket.Listener listener) throws IOException {
    try {
      return listener.accept(Deadline.after(START));
    } catch (ClosedChannelException e) {
      throw failed(e);
    } catch (WaitTimeoutException e) {
      throw new LinuxHostException(
          "The namespaces of %s have not been made within %s; %s said:%n%s"
              .formatted(name, Deadline.readable(START), process, process.lastOutput().indent(4)),
          e);
    }
  }

  /** Reads the one line that it says, in which is its PID as this JVM sees it. */
  private long awaitReady(EventLoop loop) throws IOException {
    EventLoop.Timer deadline = loop.schedule(START, () -> closeQuietly(control));
    StringBuilder line = new StringBuilder();
    ByteBuffer buffer = ByteBuffer.allocate(64);
    try {
      while (line.indexOf("\n") < 0) {
        if (control.read(buffer.clear()) < 0) {
          process.awaitExit(END);
          throw failed(null);
        }
        line.append(StandardCharsets.US_ASCII.decode(buffer.flip()));
      }
    } catch (ClosedChannelException e) {
      throw failed(e);
    } finally {
      deadline.cancel();
    }
    return Long.parseLong(line.substring(READY.length()).strip());
  }

  private LinuxHostException failed(@Nullable Exception cause) {
    String words = process.lastOutput();
    String why =
        NamespaceSupport.problem().orElse("Its network cards or mounts could not be set up");
    return new LinuxHostException(
        "Cannot start %s: %s.%nIt said:%n%s".formatted(name, why, words.indent(4)), cause);
  }

  /**
   * The words that run a program in the namespaces. If what this starts is killed, so is the
   * program.
   *
   * @param lines whether the program is to write out each line at once, if it uses stdio
   */
  List<String> words(Path workingDirectory, boolean lines, List<String> command) {
    List<String> words = new ArrayList<>();
    words.add(NamespaceSupport.tool("nsenter"));
    words.addAll(List.of("--target", Long.toString(pid), "--preserve-credentials"));
    words.addAll(List.of("--user", "--net", "--mount", "--pid", "--uts", "--"));
    words.addAll(List.of("env", "-C", workingDirectory.toString()));
    if (lines) {
      words.addAll(List.of("stdbuf", "-oL", "-eL"));
    }
    words.addAll(List.of(NamespaceSupport.tool("setpriv"), "--pdeathsig", "KILL", "--"));
    words.addAll(command);
    return words;
  }

  String name() {
    return name;
  }

  RunDirectory directory() {
    return directory;
  }

  /** Completes when the namespaces have ended with all that was in them. */
  CompletableFuture<Integer> exit() {
    return process.exit();
  }

  /** What is known of an end that nobody asked for. */
  String lastWords() {
    return process.lastOutput();
  }

  /** Ends the namespaces with all processes in them, and waits until they are gone. */
  @Override
  public void close() {
    boolean interrupted = false;
    try {
      control.close();
      process.awaitExit(END);
    } catch (WaitInterruptedException e) {
      interrupted = Thread.interrupted(); // what follows is waited for all the same
    } catch (IOException | WaitTimeoutException e) {
      log.warn("{} does not end by itself and is killed", name, e);
    }
    release();
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void release() {
    resources.forEach(LinuxNamespace::closeQuietly);
    resources.clear();
  }

  private static void closeQuietly(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      log.warn("Closing {} failed", resource, e);
    }
  }
}
