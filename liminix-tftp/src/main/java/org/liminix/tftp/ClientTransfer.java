package org.liminix.tftp;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.liminix.net.DatagramHost;
import org.liminix.tftp.internal.BufferPool;
import org.liminix.tftp.internal.EndpointLink;
import org.liminix.tftp.internal.Link;
import org.liminix.tftp.internal.MalformedPacketException;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.Receiver;
import org.liminix.tftp.internal.RetryTimer;
import org.liminix.tftp.internal.Sender;
import org.liminix.tftp.internal.Sink;
import org.liminix.tftp.internal.Source;
import org.liminix.tftp.internal.Wire;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One request and what follows from it, on the client's side. Lives on the host's event loop. */
final class ClientTransfer
    implements Link.Handler, RetryTimer.Handler, Sender.Owner, Receiver.Owner {
  private static final Logger log = LoggerFactory.getLogger(ClientTransfer.class);

  /** How long a client that has everything answers a server that missed its last word. */
  private static final Duration LINGER = Duration.ofSeconds(2);

  private final ClientSpec spec;
  private final DatagramHost host;
  private final BufferPool buffers;
  private final String file;
  private final Map<String, String> options;
  private final Closeable content;
  private final RetryTimer timer;
  private final Link link;
  private final CompletableFuture<Long> result = new CompletableFuture<>();
  private @Nullable Sender sender;
  private @Nullable Receiver receiver;
  private long bytes;

  /**
   * Sends the request; called on the loop.
   *
   * @param content a {@link Source} to store or a {@link Sink} to fetch into
   */
  ClientTransfer(
      ClientSpec spec,
      DatagramHost host,
      InetSocketAddress server,
      BufferPool buffers,
      String file,
      Closeable content) {
    this.spec = spec;
    this.host = host;
    this.buffers = buffers;
    this.file = file;
    this.content = content;
    this.options = spec.options(content instanceof Source source ? source.size() : 0);
    this.timer = new RetryTimer(host.loop(), spec.patience(), null, this);
    this.link = EndpointLink.requesting(server, host, this);
    request();
    timer.sent(System.nanoTime());
  }

  /** Completed with the number of bytes, or a {@link TftpException}. */
  CompletableFuture<Long> result() {
    return result;
  }

  private boolean storing() {
    return content instanceof Source;
  }

  private void request() {
    link.send(
        Wire.request(
            storing() ? Wire.WRQ : Wire.RRQ,
            file,
            spec.netascii() ? "netascii" : "octet",
            options));
  }

  @Override
  public void received(ByteBuffer packet) {
    long now = System.nanoTime();
    int opcode = Wire.opcode(packet);
    if (result.isDone()) {
      if (opcode == Wire.DATA && receiver != null && Wire.number(packet) >= 0) {
        receiver.received(packet, now);
      }
    } else if (opcode == Wire.ERROR) {
      int code = Wire.number(packet);
      fail(
          new TftpException(
              TftpError.of(code).orElse(TftpError.UNDEFINED),
              "The server refuses "
                  + file
                  + " with error "
                  + code
                  + ": "
                  + TftpRequest.printable(Wire.errorMessage(packet))));
    } else if (opcode == Wire.OACK) {
      negotiated(packet, now);
    } else if (Wire.number(packet) >= 0) {
      progress(opcode, packet, now);
    }
  }

  private void negotiated(ByteBuffer oack, long now) {
    if (sender != null) {
      return; // again; the first block is on its way
    }
    if (receiver != null) {
      if (!receiver.started()) {
        link.send(Wire.ack(0));
      }
      return;
    }
    try {
      begin(Negotiation.accept(oack, options), now);
      if (!storing()) {
        link.send(Wire.ack(0));
        timer.sent(now);
      }
    } catch (MalformedPacketException e) {
      link.send(Wire.error(Wire.OPTION_REFUSED, String.valueOf(e.getMessage())));
      fail(new TftpException(TftpError.OPTION_REFUSED, file + ": " + e.getMessage()));
    }
  }

  private void begin(Negotiation terms, long now) {
    timer.answered(now);
    if (content instanceof Source source) {
      Sender started = new Sender(host.loop(), link, source, terms, timer, buffers, this);
      sender = started;
      started.start(now);
    } else if (content instanceof Sink sink) {
      receiver = new Receiver(link, sink, terms, timer, this);
    }
  }

  private void progress(int opcode, ByteBuffer packet, long now) {
    if (storing() && opcode == Wire.ACK) {
      if (sender == null && Wire.number(packet) == 0) {
        begin(Negotiation.none(), now);
      } else if (sender != null) {
        sender.acknowledged(Wire.number(packet), now);
      }
    } else if (!storing() && opcode == Wire.DATA) {
      if (receiver == null) {
        begin(Negotiation.none(), now);
      }
      if (receiver != null) {
        receiver.received(packet, now);
      }
    }
  }

  @Override
  public void strayed(ByteBuffer packet, InetSocketAddress source) {
    if (Wire.opcode(packet) != Wire.ERROR && Wire.opcode(packet) >= 0) {
      link.sendTo(Wire.error(Wire.UNKNOWN_TRANSFER_ID, "Unknown transfer ID"), source);
    }
  }

  @Override
  public void unreachable() {}

  @Override
  public void writable() {
    if (sender != null) {
      sender.writable(System.nanoTime());
    }
  }

  @Override
  public void retry() {
    if (sender != null) {
      sender.retry(System.nanoTime());
    } else if (receiver != null) {
      receiver.retry();
    } else {
      request();
    }
  }

  @Override
  public void gaveUp() {
    boolean silent = sender == null && receiver == null;
    fail(
        new TftpException(
            "No answer from "
                + link.peer()
                + " for "
                + file
                + (silent ? "" : " after " + Units.bytes(bytes))
                + ", asked "
                + (spec.patience().retries() + 1)
                + " times; "
                + (silent
                    ? "is a TFTP server running there, and does it allow this client?"
                    : "did the server or the network go away?"),
            null));
  }

  @Override
  public void progressed(long total, long nowNanos) {
    bytes = total;
  }

  @Override
  public void repeated(int packets) {}

  @Override
  public void repeated() {}

  @Override
  public void sourceFailed(IOException cause) {
    link.send(Wire.error(Wire.UNDEFINED, "The file cannot be read"));
    fail(new TftpException("Cannot read what was to be stored as " + file, cause));
  }

  @Override
  public void sinkFailed(IOException cause) {
    link.send(Wire.error(Wire.DISK_FULL, "The file cannot be written"));
    fail(new TftpException("Cannot keep " + file + ": " + cause.getMessage(), cause));
  }

  @Override
  public void completed() {
    release();
    result.complete(bytes);
    if (storing()) {
      link.close();
    } else {
      host.loop().schedule(LINGER, link::close);
    }
  }

  /** Gives up because nobody waits any more. */
  void cancel() {
    if (!result.isDone()) {
      link.send(Wire.error(Wire.UNDEFINED, "The client gave up"));
      fail(new TftpException("The transfer of " + file + " was given up", null));
    }
  }

  private void fail(TftpException cause) {
    release();
    link.close();
    result.completeExceptionally(cause);
  }

  private void release() {
    timer.stop();
    if (sender != null) {
      sender.close();
    }
    try {
      content.close();
    } catch (IOException e) {
      log.debug("Closing after {}", file, e);
    }
  }
}
