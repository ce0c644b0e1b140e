package org.liminix.tftp;

import java.io.Closeable;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.liminix.net.DatagramEndpoint;
import org.liminix.net.DatagramHost;
import org.liminix.net.EventLoop;
import org.liminix.net.LinkAddresses;
import org.liminix.net.MacAddress;
import org.liminix.tftp.internal.BufferPool;
import org.liminix.tftp.internal.BulkSending;
import org.liminix.tftp.internal.Link;
import org.liminix.tftp.internal.MalformedPacketException;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.RequestPacket;
import org.liminix.tftp.internal.Wire;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server behind {@link TftpServer}: who asks, whether they may, and which transfers are under
 * way. Lives on the host's event loop; a few threads beside it open files, which may take as long
 * as a disk or a user's function takes.
 */
final class ServerEngine {
  private static final Logger log = LoggerFactory.getLogger(ServerEngine.class);

  static final long PROGRESS_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  /** Buffers kept for the next transfers. */
  private static final long POOLED_BYTES = 4 * 1024 * 1024;

  /** Denied clients that are named in the log; more would be a flood. */
  private static final int NAMED_DENIED = 256;

  private final ServerSpec spec;
  private final DatagramHost host;
  private final Link.Factory links;
  private final BulkSending bulk;
  private final TransferLog history;
  private final BufferPool buffers = new BufferPool(POOLED_BYTES);
  private final LossMemory losses = new LossMemory();
  private final ThreadPoolExecutor openers;

  private final Map<InetSocketAddress, ServerTransfer> latest = new HashMap<>();
  private final Places places;
  private final WindowMemory windows;
  private final Set<ServerTransfer> lingering = new LinkedHashSet<>();
  private final Set<InetAddress> denied = new HashSet<>();
  private boolean closed;
  private final DatagramEndpoint endpoint;

  ServerEngine(
      ServerSpec spec,
      DatagramHost host,
      Link.Factory links,
      BulkSending bulk,
      TransferLog history) {
    this.bulk = bulk;
    this.spec = spec;
    this.host = host;
    this.links = links;
    this.history = history;
    this.places = new Places(spec.maxTransfers());
    this.windows = new WindowMemory(spec.maxMemory());
    this.openers =
        new ThreadPoolExecutor(
            spec.openers(),
            spec.openers(),
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "liminix-tftp-open");
              thread.setDaemon(true);
              return thread;
            });
    openers.allowCoreThreadTimeOut(true);
    this.endpoint = host.bind(spec.port(), this::received);
  }

  ServerSpec spec() {
    return spec;
  }

  EventLoop loop() {
    return host.loop();
  }

  BufferPool buffers() {
    return buffers;
  }

  InetSocketAddress localAddress() {
    return endpoint.localAddress();
  }

  /** What may be granted to a client, given what it lost before and the memory that is left. */
  Negotiation.Limits limitsFor(InetSocketAddress client) {
    Negotiation.Limits limits = spec.limits();
    long share = windows.shareOf(client.getAddress());
    return new Negotiation.Limits(
        (int) Math.min(limits.blockSize(), Math.max(TftpServerBuilder.FRAME_BLOCK_SIZE, share)),
        losses.windowFor(client.getAddress(), limits.window()),
        (int) Math.min(limits.windowBytes(), share));
  }

  /** Takes bytes for a client's window, or gives them back if negative. */
  void reserve(InetSocketAddress client, long bytes) {
    windows.take(client.getAddress(), bytes);
  }

  void finishedWindow(InetSocketAddress client, int window, int lost, int borne) {
    losses.learn(client.getAddress(), window, lost, borne);
  }

  Link openLink(TftpRequest request, Link.Handler handler) {
    TftpFaults faults = spec.faults();
    return faults != null && faults.applyTo(request)
        ? new FaultyLink(loop(), faults, request.client(), handler, links)
        : links.open(request.client(), handler);
  }

  /** Sends from the port where requests arrive. */
  void reply(ByteBuffer datagram, InetSocketAddress client) {
    if (!closed) {
      endpoint.send(datagram, client);
    }
  }

  private void received(ByteBuffer datagram, InetSocketAddress client, DatagramEndpoint port) {
    int opcode = Wire.opcode(datagram);
    // An error is never answered, least of all with an error: two servers would go on for ever
    // (CVE-2024-2169). Nor is what cannot be answered.
    if (closed || opcode < 0 || opcode == Wire.ERROR || client.getPort() == 0) {
      return;
    }
    boolean request = opcode == Wire.RRQ || opcode == Wire.WRQ;
    boolean allowed = spec.allowed().allows(client.getAddress(), this::hardwareAddress);
    if (!request) {
      if (allowed) {
        reply(Wire.error(Wire.ILLEGAL_OPERATION, "Only requests are taken here"), client);
      }
      return;
    }
    RequestPacket packet;
    try {
      packet = RequestPacket.parse(datagram);
    } catch (MalformedPacketException e) {
      log.debug(
          "{} sent a malformed request: {}",
          client,
          TftpRequest.printable(String.valueOf(e.getMessage())));
      if (allowed) {
        reply(Wire.error(Wire.ILLEGAL_OPERATION, String.valueOf(e.getMessage())), client);
      }
      return;
    }
    if (allowed) {
      requested(packet, client);
    } else {
      deny(packet, client);
    }
  }

  private Optional<String> hardwareAddress(InetAddress client) {
    return host instanceof LinkAddresses neighbours
        ? neighbours.linkAddress(client).map(MacAddress::toString)
        : Optional.empty();
  }

  private void deny(RequestPacket packet, InetSocketAddress client) {
    TftpTransfer record = new TftpTransfer(request(packet, client));
    record.ended(
        TftpTransfer.State.REFUSED,
        TftpError.ACCESS_VIOLATION,
        client.getAddress().getHostAddress() + " is not on the allowlist");
    if (denied.size() < NAMED_DENIED && denied.add(client.getAddress())) {
      log.warn("{}; allow it with TftpServer.allow(…) if it should be served", record);
    }
    history.ended(record);
    notifyListeners(listener -> listener.refused(record));
    reply(Wire.error(Wire.ACCESS_VIOLATION, "This client is not allowed"), client);
  }

  private static TftpRequest request(RequestPacket packet, InetSocketAddress client) {
    Map<String, String> options = new LinkedHashMap<>();
    packet.options().forEach((name, value) -> options.put(name.toLowerCase(Locale.ROOT), value));
    return new TftpRequest(
        client,
        packet.opcode() == Wire.RRQ ? TftpRequest.Operation.READ : TftpRequest.Operation.WRITE,
        packet.file(),
        packet.netascii() ? TftpRequest.Mode.NETASCII : TftpRequest.Mode.OCTET,
        options);
  }

  private void requested(RequestPacket packet, InetSocketAddress client) {
    ServerTransfer predecessor = latest.get(client);
    if (predecessor != null && predecessor.halfOpen() && predecessor.packet.equals(packet)) {
      predecessor.requestRepeated();
      return;
    }
    if (!places.makeRoomFor(client.getAddress())) {
      log.debug("{} is left unanswered: its address has most of the places", client);
      return;
    }
    TftpTransfer record = new TftpTransfer(request(packet, client));
    if (predecessor != null && !predecessor.hasPort()) {
      predecessor.end(TftpTransfer.State.FAILED, null, "the client asked for something else");
      predecessor = null;
    } else if (predecessor != null) {
      // Either the client began anew from the same port, as U-Boot does, and its last packet to the
      // old one may still be under way; or the network delivered an old request twice. The client's
      // next packet tells which.
      predecessor.pause();
    }
    ServerTransfer transfer =
        packet.opcode() == Wire.RRQ
            ? new ReadTransfer(this, packet, record, predecessor)
            : new WriteTransfer(this, packet, record, predecessor);
    latest.put(client, transfer);
    places.add(transfer);
    history.begun(record);
    TftpFaults faults = spec.faults();
    if (faults != null && faults.refusal() != null && faults.applyTo(record.request())) {
      refuse(transfer, faults.refusal());
    } else {
      open(transfer);
    }
  }

  private void open(ServerTransfer transfer) {
    Runnable opening =
        () -> {
          try {
            if (transfer.record.request().options().containsKey("windowsize")) {
              bulk.prepare();
            }
            Closeable content = transfer.open();
            hand(() -> transfer.opened(content), () -> transfer.closeQuietly(content));
          } catch (TftpException e) {
            hand(() -> refuse(transfer, e), () -> {});
          } catch (RuntimeException e) {
            log.warn("{} failed", transfer.record.request(), e);
            hand(() -> transfer.fail(TftpError.UNDEFINED, "The server failed", e), () -> {});
          }
        };
    transfer.opening = opening;
    try {
      openers.execute(opening);
    } catch (RejectedExecutionException e) {
      transfer.end(TftpTransfer.State.FAILED, null, "the server is closing");
    }
  }

  private void hand(Runnable task, Runnable otherwise) {
    try {
      loop().execute(task);
    } catch (RejectedExecutionException e) {
      otherwise.run();
    }
  }

  private static void refuse(ServerTransfer transfer, TftpException why) {
    transfer.fail(why.error().orElse(TftpError.UNDEFINED), String.valueOf(why.getMessage()), null);
  }

  /** Keeps the port of a transfer that is over for a while, but no more of them than of others. */
  void linger(ServerTransfer transfer) {
    lingering.add(transfer);
    loop().schedule(spec.linger(), () -> forget(transfer));
    if (lingering.size() > spec.maxTransfers()) {
      forget(lingering.iterator().next());
    }
  }

  private void forget(ServerTransfer transfer) {
    if (lingering.remove(transfer)) {
      transfer.closeLink();
    }
  }

  void started(ServerTransfer transfer) {
    notifyListeners(listener -> listener.started(transfer.record));
  }

  void answered(ServerTransfer transfer) {
    places.reacted(transfer);
  }

  void progressed(ServerTransfer transfer) {
    notifyListeners(listener -> listener.progressed(transfer.record));
  }

  void ended(ServerTransfer transfer) {
    places.remove(transfer);
    latest.remove(transfer.client(), transfer);
    Runnable opening = transfer.opening;
    if (opening != null) {
      openers.remove(opening); // if its turn has not come: whoever is displaced takes no room there
    }
    TftpTransfer record = transfer.record;
    if (record.state() == TftpTransfer.State.COMPLETED) {
      log.info("{}", record);
    } else {
      log.warn("{}", record);
    }
    history.ended(record);
    notifyListeners(
        listener -> {
          if (record.state() == TftpTransfer.State.REFUSED) {
            listener.refused(record);
          } else {
            listener.ended(record);
          }
        });
  }

  private void notifyListeners(Consumer<TftpListener> event) {
    for (TftpListener listener : spec.listeners()) {
      try {
        event.accept(listener);
      } catch (RuntimeException e) {
        log.warn("A listener failed", e);
      }
    }
  }

  /** Ends everything, on the loop. */
  void close() {
    if (closed) {
      return;
    }
    for (ServerTransfer transfer : places.all()) {
      transfer.fail(TftpError.UNDEFINED, "The server is closing", null);
    }
    closed = true;
    endpoint.close();
    openers.shutdownNow();
    history.close();
  }
}
