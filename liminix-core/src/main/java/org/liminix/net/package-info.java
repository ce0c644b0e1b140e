/** Emulated Ethernet segments, what passes on them, and the hosts that live on them. */
package org.liminix.net;
