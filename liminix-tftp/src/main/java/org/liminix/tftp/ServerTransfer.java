package org.liminix.tftp;

import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.liminix.tftp.internal.Link;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.RequestPacket;
import org.liminix.tftp.internal.RetryTimer;
import org.liminix.tftp.internal.Wire;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request and what follows from it, on the server's side. Lives on the server's event loop;
 * only opening what was asked for happens elsewhere.
 */
abstract class ServerTransfer implements Link.Handler, RetryTimer.Handler {
  private static final Logger log = LoggerFactory.getLogger(ServerTransfer.class);

  final ServerEngine engine;
  final RequestPacket packet;
  final TftpTransfer record;
  final RetryTimer timer;
  private @Nullable ServerTransfer predecessor; // until it is known which of both is followed

  /** What is to open the content, until that has happened. */
  @Nullable Runnable opening;

  private @Nullable Link link;
  private @Nullable Closeable content;
  private boolean answered;
  private boolean ended;
  private long reportedNanos = System.nanoTime() - ServerEngine.PROGRESS_NANOS;

  ServerTransfer(
      ServerEngine engine,
      RequestPacket packet,
      TftpTransfer record,
      @Nullable ServerTransfer predecessor) {
    this.engine = engine;
    this.packet = packet;
    this.record = record;
    this.predecessor = predecessor;
    this.timer = new RetryTimer(engine.loop(), engine.spec().patience(), timeout(), this);
  }

  /** The timeout the client asked for: known before the rest is, and the same for all answers. */
  private java.time.@Nullable Duration timeout() {
    return Negotiation.answer(packet, -1, engine.spec().limits()).timeout();
  }

  /** Opens what was asked for, on a thread that may wait. */
  abstract Closeable open();

  /** Answers the request for the first time. */
  abstract void begin(Link link, Closeable content, long nowNanos);

  /** Sends again what the client has not reacted to. */
  abstract void repeat();

  /** Handles DATA or ACK. */
  abstract void handle(int opcode, ByteBuffer datagram, long nowNanos);

  /** Frees what the transfer itself holds. */
  abstract void release();

  /** Whether the client has not reacted to the first answer. */
  final boolean halfOpen() {
    return !answered && !ended;
  }

  /** Whether the client may know of it. */
  final boolean hasPort() {
    return link != null;
  }

  /** The one of both that has made no progress for longer, to the accuracy of reports. */
  static ServerTransfer quieter(ServerTransfer one, ServerTransfer other) {
    return one.reportedNanos - other.reportedNanos <= 0 ? one : other;
  }

  final void opened(Closeable opened) {
    opening = null;
    if (ended) {
      closeQuietly(opened);
      return;
    }
    content = opened;
    try {
      Link port = engine.openLink(record.request(), this);
      link = port;
      begin(port, opened, System.nanoTime());
    } catch (RuntimeException e) {
      fail(TftpError.UNDEFINED, "The server cannot open a port", e);
    }
    if (!ended) {
      engine.started(this);
    }
  }

  /** The request came again. */
  final void requestRepeated() {
    if (link != null) {
      repeat();
    }
  }

  final Link link() {
    if (link == null) {
      throw new IllegalStateException("The transfer has no port yet");
    }
    return link;
  }

  final InetSocketAddress client() {
    return record.request().client();
  }

  @Override
  public final void received(ByteBuffer datagram) {
    if (ended) {
      afterEnd(datagram);
      return;
    }
    int opcode = Wire.opcode(datagram);
    if (opcode == Wire.ERROR) {
      int code = Wire.number(datagram);
      end(
          TftpTransfer.State.FAILED,
          TftpError.of(code).orElse(TftpError.UNDEFINED),
          "the client says: error "
              + code
              + " "
              + TftpRequest.printable(Wire.errorMessage(datagram)));
    } else if (Wire.number(datagram) >= 0) {
      handle(opcode, datagram, System.nanoTime());
    }
  }

  /** Something came although all was over. */
  void afterEnd(ByteBuffer datagram) {}

  /**
   * The client has reacted: it exists, and it is this transfer that it follows.
   *
   * @return whether there is a place for it
   */
  final boolean answered() {
    if (!answered) {
      if (predecessor != null) {
        predecessor.superseded();
        predecessor = null;
      }
      engine.answered(this);
      answered = true;
    }
    return !ended;
  }

  private void superseded() {
    if (predecessor != null) {
      predecessor.superseded();
      predecessor = null;
    }
    end(TftpTransfer.State.FAILED, null, "the client asked anew from the same port");
  }

  /** A stray packet gets an error and disturbs nothing (RFC 1350 section 4). */
  @Override
  public final void strayed(ByteBuffer datagram, InetSocketAddress source) {
    int opcode = Wire.opcode(datagram);
    if (opcode != Wire.ERROR && opcode >= 0 && link != null) {
      link.sendTo(Wire.error(Wire.UNKNOWN_TRANSFER_ID, "Unknown transfer ID"), source);
    }
  }

  @Override
  public final void unreachable() {
    end(TftpTransfer.State.FAILED, null, "the client has closed its port");
  }

  @Override
  public final void retry() {
    repeat();
  }

  @Override
  public void gaveUp() {
    end(
        TftpTransfer.State.FAILED,
        null,
        "the client was silent through " + engine.spec().patience().retries() + " retries");
  }

  public final void progressed(long bytes, long nowNanos) {
    record.progressed(bytes);
    if (nowNanos - reportedNanos >= ServerEngine.PROGRESS_NANOS) {
      reportedNanos = nowNanos;
      engine.progressed(this);
    }
  }

  /** Ends the transfer with an error for the client. */
  final void fail(TftpError error, String message, @Nullable Throwable cause) {
    if (ended) {
      return;
    }
    if (cause != null) {
      log.debug("{}", record.request(), cause);
    }
    String detail =
        cause == null || cause.getMessage() == null ? "" : " (" + cause.getMessage() + ")";
    end(
        link == null ? TftpTransfer.State.REFUSED : TftpTransfer.State.FAILED,
        error,
        message + detail,
        Wire.error(error.code(), message));
  }

  /** Ends the transfer without a word to the client. */
  final void end(TftpTransfer.State state, @Nullable TftpError error, String reason) {
    end(state, error, reason, null);
  }

  /** Ends the transfer, in its books first, for whoever looks at them when the packet arrives. */
  private void end(
      TftpTransfer.State state,
      @Nullable TftpError error,
      String reason,
      @Nullable ByteBuffer farewell) {
    if (ended) {
      return;
    }
    ended = true;
    timer.stop();
    release();
    if (content != null) {
      closeQuietly(content);
    }
    record.ended(state, error, reason);
    engine.ended(this);
    if (farewell != null && link != null) {
      link.send(farewell);
    } else if (farewell != null) {
      engine.reply(farewell, client());
    }
    if (!lingers(state)) {
      closeLink();
    }
    if (predecessor != null) {
      predecessor.resume();
      predecessor = null;
    }
  }

  /** Whether the port stays open for a client that missed the last packet. */
  boolean lingers(TftpTransfer.State state) {
    return false;
  }

  final void closeLink() {
    if (link != null) {
      link.close();
    }
  }

  /** Stays quiet while the client may be about to follow a newer transfer. */
  final void pause() {
    timer.stop();
    ServerTransfer older = predecessor;
    if (older != null && older.halfOpen()) { // one of these is enough for each client
      predecessor = older.predecessor;
      older.predecessor = null;
      older.end(TftpTransfer.State.FAILED, null, "the client asked for something else");
    }
  }

  private void resume() {
    if (!ended && link != null) {
      timer.sent(System.nanoTime());
    }
  }

  final void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      log.debug("Closing after {}", record.request(), e);
    }
  }
}
