package org.liminix.qemu;

import java.util.Map;

/**
 * The cable at one of a machine's network cards.
 *
 * <pre>{@code
 * router.link(LAN).down();
 * router.link(LAN).up();
 * }</pre>
 *
 * <p>Thread-safe; there is nothing to close.
 */
public final class Link {
  private final Qmp qmp;
  private final String card;
  private final String network;

  Link(Qmp qmp, String card, String network) {
    this.qmp = qmp;
    this.card = card;
    this.network = network;
  }

  /** Pulls the cable: the guest sees its carrier go, and no frame passes. */
  public void down() {
    set(false);
  }

  /** Plugs the cable in. */
  public void up() {
    set(true);
  }

  private void set(boolean up) {
    qmp.execute("set_link", Map.of("name", card, "up", up));
  }

  @Override
  public String toString() {
    return "Link[" + card + " on " + network + "]";
  }
}
