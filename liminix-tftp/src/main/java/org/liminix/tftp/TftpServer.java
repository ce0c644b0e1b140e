package org.liminix.tftp;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.liminix.net.DatagramHost;
import org.liminix.net.EventLoop;
import org.liminix.net.UdpHost;
import org.liminix.tftp.internal.AllowList;
import org.liminix.tftp.internal.BulkSending;
import org.liminix.tftp.internal.EndpointLink;
import org.liminix.tftp.internal.Link;
import org.liminix.tftp.internal.UdpLink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A TFTP server for boards, emulators and tests: RFC 1350 with the options of RFC 2347, 2348, 2349
 * and 7440.
 *
 * <pre>{@code
 * try (TftpServer tftp = TftpServer.allow("192.168.8.251").root(Path.of("result")).start()) {
 *   board.console().sendLine("tftpboot ${loadaddr} uImage");
 *   tftp.awaitTransfer("uImage", Duration.ofSeconds(30));
 * }
 * }</pre>
 *
 * <p>Without a port it takes any free one and tells it by {@link #port()}; boards expect 69, which
 * needs privileges on this machine, and none on an emulated segment ({@link TftpServerBuilder#on}).
 *
 * <p>Thread-safe. Whoever started it closes it. One thread serves all clients, and some more, two
 * unless {@link TftpServerBuilder#openers} says otherwise, open files.
 */
public final class TftpServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(TftpServer.class);

  private final ServerEngine engine;
  private final TransferLog history;
  private final EventLoop loop;
  private final boolean ownsLoop;

  private TftpServer(ServerEngine engine, TransferLog history, EventLoop loop, boolean ownsLoop) {
    this.engine = engine;
    this.history = history;
    this.loop = loop;
    this.ownsLoop = ownsLoop;
  }

  /**
   * Begins a server for these clients and nobody else.
   *
   * @param client an address ({@code 192.168.8.251}, {@code fd00::2}), a network ({@code
   *     192.168.8.0/24}) or, on an emulated segment, a MAC ({@code 52:54:00:12:34:56})
   * @param more further ones
   * @throws IllegalArgumentException if one is none of these
   */
  public static TftpServerBuilder allow(String client, String... more) {
    List<String> clients = new ArrayList<>();
    clients.add(client);
    clients.addAll(List.of(more));
    return new TftpServerBuilder(AllowList.of(clients));
  }

  /**
   * Begins a server for whoever reaches it: every machine on every network this one is attached to
   * may read all of the roots, and write where writing is enabled.
   */
  public static TftpServerBuilder allowAnyone() {
    return new TftpServerBuilder(AllowList.anyone());
  }

  static TftpServer start(ServerSpec spec) {
    TransferLog history = new TransferLog(spec.history());
    @Nullable DatagramHost given = spec.host();
    if (given != null) {
      Link.Factory links = (peer, handler) -> EndpointLink.to(peer, given, handler);
      return started(
          new ServerEngine(spec, given, links, BulkSending.NONE, history),
          history,
          given.loop(),
          false);
    }
    EventLoop loop = EventLoop.start("tftp");
    try {
      InetAddress address = spec.address();
      BulkSending bulk = spec.windows().sending();
      return started(
          new ServerEngine(
              spec,
              UdpHost.at(address, loop),
              new UdpLink.Opener(loop, address, bulk),
              bulk,
              history),
          history,
          loop,
          true);
    } catch (RuntimeException e) {
      loop.close();
      throw e;
    }
  }

  private static TftpServer started(
      ServerEngine engine, TransferLog history, EventLoop loop, boolean ownsLoop) {
    TftpServer server = new TftpServer(engine, history, loop, ownsLoop);
    log.info("TFTP served at {}", server.address());
    return server;
  }

  /** Where requests go. The address is a wildcard if the server listens at all of them. */
  public InetSocketAddress address() {
    return engine.localAddress();
  }

  /** The port where requests go. */
  public int port() {
    return address().getPort();
  }

  /**
   * What was asked of this server: first the transfers that are over and the requests that were
   * refused, in the order in which they ended, then those under way. Of those that are over the
   * latest are remembered, as many as {@link TftpServerBuilder#history} says.
   */
  public List<TftpTransfer> transfers() {
    return history.all();
  }

  /**
   * Waits until a transfer of that file is complete. One that already is counts too, but each only
   * for one call: two calls await two transfers. Attempts that fail are waited past, for clients
   * try again, and are listed in the message if no attempt succeeds.
   *
   * @param file the name as the client sends it; slashes in front make no difference
   * @param timeout how long to wait
   * @throws org.liminix.process.WaitTimeoutException if the time is up; the message lists what was
   *     asked for instead
   * @throws org.liminix.process.WaitInterruptedException if the thread is interrupted
   * @throws TftpException if the server is closed meanwhile
   */
  public TftpTransfer awaitTransfer(String file, Duration timeout) {
    return history.await(file, timeout);
  }

  /** Ends all transfers, telling their clients, and frees ports, files and threads. Idempotent. */
  @Override
  public void close() {
    try {
      loop.call(engine::close);
    } catch (RejectedExecutionException e) {
      log.debug("The event loop is closed already");
    }
    if (ownsLoop) {
      loop.close();
    }
  }

  @Override
  public String toString() {
    return "TftpServer[" + address() + "]";
  }
}
