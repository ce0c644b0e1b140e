/** What firmware images are made of. */
package org.liminix.image;
