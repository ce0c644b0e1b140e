package org.liminix.tftp;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.liminix.net.DatagramHost;
import org.liminix.net.LinkAddresses;
import org.liminix.tftp.internal.AllowList;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.RetryTimer;
import org.liminix.tftp.internal.Wire;

/**
 * What a {@link TftpServer} is to be like. Begun by {@link TftpServer#allow} or {@link
 * TftpServer#allowAnyone}; nothing is opened before {@link #start}.
 *
 * <p>What is served is looked up in this order: {@link #file(String, byte[]) files} named one by
 * one, {@link #generate generated} ones, then the {@link #root roots}. Not thread-safe. May start
 * several servers.
 *
 * <p>What the server takes of this machine is limited by settings, each with its default: {@link
 * #maxTransfers}, {@link #maxMemory}, {@link #maxUpload}, {@link #history}, {@link #openers}.
 * Beside them it remembers 1024 clients that lost packets, to send them less at once, names 256
 * refused ones in the log and keeps 4 MiB of buffers.
 */
public final class TftpServerBuilder {
  /**
   * The largest window granted unless told otherwise: more wedges U-Boot's virtio driver and makes
   * its e1000 driver lose packets.
   */
  static final int DEFAULT_MAX_WINDOW = 16;

  /** A block that fits an Ethernet frame: where nobody reassembles IP fragments. */
  static final int FRAME_BLOCK_SIZE = 1468;

  private static final int DEFAULT_WINDOW_BYTES = 1024 * 1024;
  private static final long DEFAULT_MAX_UPLOAD = 256L * 1024 * 1024;
  private static final int DEFAULT_MAX_TRANSFERS = 1024;
  private static final int DEFAULT_HISTORY = 1000;
  private static final int DEFAULT_RETRIES = 5;
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(1);
  private static final long DEFAULT_MAX_MEMORY =
      Math.min(64L * 1024 * 1024, Runtime.getRuntime().maxMemory() / 4);
  private static final int DEFAULT_OPENERS = 2;
  private static final Duration DEFAULT_LEAST_WAIT = Duration.ofMillis(40);
  private static final Duration DEFAULT_MOST_WAIT = Duration.ofSeconds(5);
  private static final Duration DEFAULT_LINGER = Duration.ofSeconds(3);

  private final AllowList allowed;
  private final Map<String, TftpContent> files = new LinkedHashMap<>();
  private final List<Function<TftpRequest, Optional<TftpContent>>> generators = new ArrayList<>();
  private final List<TftpListener> listeners = new ArrayList<>();
  private @Nullable List<Catalogue.Root> roots;
  private @Nullable UnaryOperator<String> mapping;
  private @Nullable Path writable;
  private boolean overwrite;
  private @Nullable Long maxUpload;
  private @Nullable InetAddress address;
  private @Nullable Integer port;
  private @Nullable DatagramHost host;
  private @Nullable Integer maxBlockSize;
  private @Nullable Integer maxWindow;
  private @Nullable Integer maxWindowBytes;
  private @Nullable Integer maxTransfers;
  private @Nullable Integer history;
  private @Nullable Integer retries;
  private @Nullable Duration timeout;
  private @Nullable Duration leastWait;
  private @Nullable Duration mostWait;
  private @Nullable Duration linger;
  private @Nullable Long maxMemory;
  private @Nullable Integer openers;
  private @Nullable TftpFaults faults;
  private ServerSpec.Windows windows = ServerSpec.Windows.SEGMENTED;

  TftpServerBuilder(AllowList allowed) {
    this.allowed = allowed;
  }

  /**
   * Serves a folder as Nix makes them: links inside it are followed wherever they lead, while
   * {@code ..} and absolute names are no way out. Of a file {@code x} that is there only as {@code
   * x.gz} the uncompressed content is served.
   *
   * @param folder to serve
   * @param more searched in turn for what is not in the first
   */
  public TftpServerBuilder root(Path folder, Path... more) {
    return roots(false, folder, more);
  }

  /** Serves a folder of which nothing leads out, not even a link; otherwise as {@link #root}. */
  public TftpServerBuilder strictRoot(Path folder, Path... more) {
    return roots(true, folder, more);
  }

  private TftpServerBuilder roots(boolean strict, Path folder, Path... more) {
    if (roots != null) {
      throw new IllegalStateException(
          "The roots are already set; give all folders to one call of root(…) or strictRoot(…)");
    }
    List<Catalogue.Root> given = new ArrayList<>();
    given.add(new Catalogue.Root(directory(folder, "served"), strict));
    for (Path further : more) {
      given.add(new Catalogue.Root(directory(further, "served"), strict));
    }
    roots = List.copyOf(given);
    return this;
  }

  private static Path directory(Path folder, String purpose) {
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "There is no folder " + folder.toAbsolutePath() + " that could be " + purpose);
    }
    return folder.toAbsolutePath().normalize();
  }

  /** Serves these bytes, copied, under that name. */
  public TftpServerBuilder file(String name, byte[] content) {
    return file(name, TftpContent.bytes(content));
  }

  /** Serves this content under that name. */
  public TftpServerBuilder file(String name, TftpContent content) {
    String plain = Catalogue.plain(name);
    if (plain.isEmpty()) {
      throw new IllegalArgumentException("A file needs a name, not \"" + name + "\"");
    }
    if (files.putIfAbsent(plain, Objects.requireNonNull(content)) != null) {
      throw new IllegalStateException(
          "There is already a file " + plain + "; use generate(…) for content that changes");
    }
    return this;
  }

  /**
   * Serves what a function makes of a request; if it makes nothing of it, further functions are
   * asked and then the roots. Runs on one of the server's threads that may wait, several requests
   * at the same time.
   */
  public TftpServerBuilder generate(Function<TftpRequest, Optional<TftpContent>> generator) {
    generators.add(Objects.requireNonNull(generator));
    return this;
  }

  /**
   * Changes names before they are looked up, such as backslashes to slashes. Functions given to
   * {@link #generate} see the name as sent.
   */
  public TftpServerBuilder mapNames(UnaryOperator<String> mapping) {
    once(this.mapping, "mapNames", "compose the functions");
    this.mapping = Objects.requireNonNull(mapping);
    return this;
  }

  /**
   * Lets clients write into a folder, which without this call they cannot anywhere. A file appears
   * when it is complete; one that is there is kept, see {@link #overwrite}.
   */
  public TftpServerBuilder writable(Path folder) {
    once(writable, "writable", "one folder can be writable");
    writable = directory(folder, "writable");
    return this;
  }

  /** Lets clients replace files in the {@link #writable} folder. */
  public TftpServerBuilder overwrite() {
    overwrite = true;
    return this;
  }

  /** The most bytes of a file that a client writes; 256 MiB unless set. */
  public TftpServerBuilder maxUpload(long bytes) {
    once(maxUpload, "maxUpload", "decide for one");
    maxUpload = positive(bytes, Long.MAX_VALUE, "maxUpload");
    return this;
  }

  /** Listens at one of this machine's addresses instead of all. */
  public TftpServerBuilder address(String address) {
    once(this.address, "address", "a server listens at one address, or at all");
    if (host != null) {
      throw new IllegalStateException("address(…) conflicts with on(…): the host has its address");
    }
    try {
      this.address = InetAddress.getByName(address);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException(
          "\"" + address + "\" is no address; write one of this machine's, like 127.0.0.1", e);
    }
    return this;
  }

  /** Listens at a port: 69 is the one clients expect, 0, the default, means any that is free. */
  public TftpServerBuilder port(int port) {
    once(this.port, "port", "a server listens at one port");
    if (port < 0 || port > 65535) {
      throw new IllegalArgumentException("A port lies between 0 and 65535, not at " + port);
    }
    this.port = port;
    return this;
  }

  /**
   * Lives on a host of an emulated segment, at its port 69 unless {@link #port} says otherwise, and
   * on its event loop. Blocks are then at most 1468 bytes unless {@link #maxBlockSize} says
   * otherwise, so that they fit a frame.
   */
  public TftpServerBuilder on(DatagramHost host) {
    once(this.host, "on", "a server lives on one host");
    if (address != null) {
      throw new IllegalStateException("on(…) conflicts with address(…): the host has its address");
    }
    this.host = Objects.requireNonNull(host);
    return this;
  }

  /** The largest block granted, 8 to 65464 bytes; 65464 unless set. */
  public TftpServerBuilder maxBlockSize(int bytes) {
    once(maxBlockSize, "maxBlockSize", "decide for one");
    if (bytes < Wire.MIN_BLOCK_SIZE || bytes > Wire.MAX_BLOCK_SIZE) {
      throw new IllegalArgumentException("A block has 8 to 65464 bytes (RFC 2348), not " + bytes);
    }
    maxBlockSize = bytes;
    return this;
  }

  /** The largest window granted, in blocks; 16 unless set. 1 means lock-step for everybody. */
  public TftpServerBuilder maxWindow(int blocks) {
    once(maxWindow, "maxWindow", "decide for one");
    maxWindow = (int) positive(blocks, 65535, "maxWindow");
    return this;
  }

  /**
   * The most bytes in a window, and so in memory for one transfer; 1 MiB unless set. Where blocks
   * are large the window granted is smaller. {@link #maxMemory} is for all transfers together.
   */
  public TftpServerBuilder maxWindowBytes(int bytes) {
    once(maxWindowBytes, "maxWindowBytes", "decide for one");
    maxWindowBytes = (int) positive(bytes, 1 << 29, "maxWindowBytes");
    return this;
  }

  /**
   * The most transfers under way at once; 1024 unless set. Clients that have not reacted yet, as
   * forged ones never do, may be a sixteenth more, and the oldest of them makes way for the next.
   *
   * <p>A transfer may take as long as its client likes. But when all are taken, a client of another
   * address gets a place of the address that has the most of them: whichever of its clients was
   * quiet longest is sent an error. Of an address that has the most itself, a further request waits
   * until it is repeated.
   */
  public TftpServerBuilder maxTransfers(int count) {
    once(maxTransfers, "maxTransfers", "decide for one");
    maxTransfers = (int) positive(count, 1 << 20, "maxTransfers");
    return this;
  }

  /**
   * The most bytes in the windows of all transfers together; 64 MiB unless set, or a quarter of the
   * memory this JVM may use if that is less. The clients of one address share half of what the
   * others leave. When that is used up, further transfers get windows of one block, and no block of
   * more than 1468 bytes.
   */
  public TftpServerBuilder maxMemory(long bytes) {
    once(maxMemory, "maxMemory", "decide for one");
    maxMemory = positive(bytes, Long.MAX_VALUE, "maxMemory");
    return this;
  }

  /**
   * How many requests at a time are looked up and opened, or {@link #generate generated}; 2 unless
   * set. The others wait their turn, no more than {@link #maxTransfers} of them.
   */
  public TftpServerBuilder openers(int threads) {
    once(openers, "openers", "decide for one");
    openers = (int) positive(threads, 1024, "openers");
    return this;
  }

  /** How many transfers that are over {@link TftpServer#transfers} remembers; 1000 unless set. */
  public TftpServerBuilder history(int count) {
    once(history, "history", "decide for one");
    history = (int) positive(count, 1 << 24, "history");
    return this;
  }

  /** How often a packet is sent again before a client counts as gone; 5 unless set. */
  public TftpServerBuilder retries(int count) {
    once(retries, "retries", "decide for one");
    retries = (int) positive(count, 100, "retries");
    return this;
  }

  /**
   * How long the first answer is waited for when the client did not ask for a timeout; a second
   * unless set. From then on the measured round trip decides, within {@link #waits}.
   */
  public TftpServerBuilder timeout(Duration timeout) {
    once(this.timeout, "timeout", "decide for one");
    this.timeout = positive(timeout, "A timeout");
    return this;
  }

  /**
   * The least and the most that a measured round trip makes the server wait before it repeats a
   * packet, each wait being four times the last; 40 ms and 5 s unless set.
   */
  public TftpServerBuilder waits(Duration least, Duration most) {
    once(leastWait, "waits", "decide for one");
    positive(least, "A wait");
    if (most.compareTo(least) < 0) {
      throw new IllegalArgumentException(
          "The most that is waited, " + most + ", is less than the least, " + least);
    }
    leastWait = least;
    mostWait = most;
    return this;
  }

  /**
   * How long a client that missed the last acknowledgement of what it wrote is answered; 3 s unless
   * set. No more than {@link #maxTransfers} of them are, the latest.
   */
  public TftpServerBuilder linger(Duration linger) {
    once(this.linger, "linger", "decide for one");
    this.linger = positive(linger, "Lingering");
    return this;
  }

  /** Makes mistakes on purpose, for tests of other people's boot loaders. */
  public TftpServerBuilder faults(TftpFaults faults) {
    once(this.faults, "faults", "combine them in one TftpFaults");
    this.faults = Objects.requireNonNull(faults);
    return this;
  }

  /** Tells somebody what happens. May be called several times. */
  public TftpServerBuilder listener(TftpListener listener) {
    listeners.add(Objects.requireNonNull(listener));
    return this;
  }

  /**
   * Gives the kernel the packets of a window as they are, even where it could cut them from one
   * large packet ({@code UDP_SEGMENT} of Linux, which is two to four times as fast). So it is done
   * by itself where that does not work: with one {@code sendmmsg} on 64-bit Linux, one by one
   * elsewhere and where jffi was excluded. What clients see is the same; a capture on this machine
   * shows packets as they will be on the wire, rather than the large one.
   */
  public TftpServerBuilder unsegmented() {
    return windows(ServerSpec.Windows.UNSEGMENTED);
  }

  /** Tests say so, to see what happens on machines where fewer ways work. */
  TftpServerBuilder windows(ServerSpec.Windows way) {
    windows = way;
    return this;
  }

  private static void once(@Nullable Object before, String setter, String fix) {
    if (before != null) {
      throw new IllegalStateException(setter + "(…) was already called; " + fix);
    }
  }

  private static long positive(long value, long most, String setter) {
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(setter + "(…) takes 1 to " + most + ", not " + value);
    }
    return value;
  }

  private static Duration positive(Duration value, String what) {
    if (value.isNegative() || value.isZero()) {
      throw new IllegalArgumentException(what + " is longer than " + value);
    }
    return value;
  }

  /**
   * Opens the port and serves.
   *
   * @throws org.liminix.net.NetworkException if the port cannot be opened
   */
  public TftpServer start() {
    return TftpServer.start(spec());
  }

  private ServerSpec spec() {
    if (roots == null && files.isEmpty() && generators.isEmpty() && writable == null) {
      throw new IllegalStateException(
          "There is nothing to serve; call root(…), file(…), generate(…) or writable(…)");
    }
    if (writable == null && (overwrite || maxUpload != null)) {
      throw new IllegalStateException(
          "overwrite() and maxUpload(…) are about writing; call writable(…) too");
    }
    if (allowed.needsHardwareAddresses() && !(host instanceof LinkAddresses)) {
      throw new IllegalStateException(
          "Clients can be told apart by MAC only on an emulated segment; call on(…) with a host"
              + " there, or allow addresses");
    }
    return new ServerSpec(
        allowed,
        new Catalogue(
            mapping == null ? UnaryOperator.identity() : mapping,
            Map.copyOf(files),
            List.copyOf(generators),
            roots == null ? List.of() : roots),
        writable == null
            ? null
            : new Uploads(writable, overwrite, maxUpload == null ? DEFAULT_MAX_UPLOAD : maxUpload),
        host,
        address == null ? new InetSocketAddress(0).getAddress() : address,
        port == null ? (host == null ? 0 : Wire.PORT) : port,
        new Negotiation.Limits(
            maxBlockSize == null
                ? (host == null ? Wire.MAX_BLOCK_SIZE : FRAME_BLOCK_SIZE)
                : maxBlockSize,
            maxWindow == null ? DEFAULT_MAX_WINDOW : maxWindow,
            maxWindowBytes == null ? DEFAULT_WINDOW_BYTES : maxWindowBytes),
        new RetryTimer.Patience(
            timeout == null ? DEFAULT_TIMEOUT : timeout,
            leastWait == null ? DEFAULT_LEAST_WAIT : leastWait,
            mostWait == null ? DEFAULT_MOST_WAIT : mostWait,
            retries == null ? DEFAULT_RETRIES : retries),
        maxTransfers == null ? DEFAULT_MAX_TRANSFERS : maxTransfers,
        maxMemory == null ? DEFAULT_MAX_MEMORY : maxMemory,
        openers == null ? DEFAULT_OPENERS : openers,
        history == null ? DEFAULT_HISTORY : history,
        linger == null ? DEFAULT_LINGER : linger,
        windows,
        List.copyOf(listeners),
        faults);
  }
}
