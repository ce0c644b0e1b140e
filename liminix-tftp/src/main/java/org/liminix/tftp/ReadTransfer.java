package org.liminix.tftp;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.liminix.tftp.internal.Link;
import org.liminix.tftp.internal.Negotiation;
import org.liminix.tftp.internal.RequestPacket;
import org.liminix.tftp.internal.Sender;
import org.liminix.tftp.internal.Source;
import org.liminix.tftp.internal.Wire;

/** A client fetches. */
final class ReadTransfer extends ServerTransfer implements Sender.Owner {
  private Negotiation terms = Negotiation.none();
  private long reserved; // bytes of the window
  private @Nullable Source source;
  private @Nullable Sender sender; // from the moment DATA may flow

  ReadTransfer(
      ServerEngine engine,
      RequestPacket packet,
      TftpTransfer record,
      @Nullable ServerTransfer predecessor) {
    super(engine, packet, record, predecessor);
  }

  @Override
  Closeable open() {
    return engine.spec().catalogue().open(record.request(), engine.buffers());
  }

  @Override
  void begin(Link link, Closeable content, long nowNanos) {
    Source opened = (Source) content;
    source = opened;
    terms = Negotiation.answer(packet, opened.size(), engine.limitsFor(client()));
    record.terms(terms.blockSize(), terms.window(), opened.size());
    reserved = (long) terms.blockSize() * terms.window();
    engine.reserve(client(), reserved);
    if (terms.answer().isEmpty()) {
      send(opened, nowNanos);
    } else {
      link.send(Wire.oack(terms.answer()));
      timer.sent(nowNanos);
    }
  }

  private void send(Source opened, long nowNanos) {
    try {
      Sender started =
          new Sender(engine.loop(), link(), opened, terms, timer, engine.buffers(), this);
      sender = started;
      started.start(nowNanos);
    } catch (OutOfMemoryError e) { // this JVM may use less than the server was told it may
      fail(TftpError.UNDEFINED, "The server has no memory for this window", e);
    }
  }

  @Override
  void repeat() {
    if (sender != null) {
      sender.retry(System.nanoTime());
    } else {
      record.repeated(1);
      link().send(Wire.oack(terms.answer()));
    }
  }

  @Override
  void handle(int opcode, ByteBuffer datagram, long nowNanos) {
    if (opcode != Wire.ACK) {
      return;
    }
    int number = Wire.number(datagram);
    if (sender != null && answered()) {
      sender.acknowledged(number, nowNanos);
    } else if (sender == null && number == 0 && source != null && answered()) {
      timer.answered(nowNanos);
      send(source, nowNanos);
    }
  }

  @Override
  public void writable() {
    if (sender != null) {
      sender.writable(System.nanoTime());
    }
  }

  @Override
  public void repeated(int packets) {
    record.repeated(packets);
  }

  @Override
  public void sourceFailed(IOException cause) {
    // Code 0 makes U-Boot start again, which is right for a file that was just replaced.
    fail(
        TftpError.UNDEFINED,
        cause instanceof Source.ContentChangedException
            ? String.valueOf(cause.getMessage())
            : "The file cannot be read",
        cause instanceof Source.ContentChangedException ? null : cause);
  }

  @Override
  public void completed() {
    if (sender != null) {
      engine.finishedWindow(client(), terms.window(), sender.losses(), sender.borne());
    }
    end(TftpTransfer.State.COMPLETED, null, "");
  }

  @Override
  public void gaveUp() {
    engine.finishedWindow(client(), terms.window(), terms.window(), terms.window());
    super.gaveUp();
  }

  @Override
  void release() {
    engine.reserve(client(), -reserved);
    reserved = 0;
    if (sender != null) {
      sender.close();
    }
  }
}
