import { LabIcon } from '@jupyterlab/ui-components';

import flyteSvg from '../../style/icons/flyte.svg';
import locateSvg from '../../style/icons/locate.svg';

/** What stands for all of this, in the sidebar and the launcher. */
export const flyteIcon = new LabIcon({ name: 'flyte-jupyter:flyte', svgstr: flyteSvg });

/** The same as a picture, for where Lab takes no icon but an address: in a colour that is seen on light and on dark. */
export const flytePicture = `data:image/svg+xml,${encodeURIComponent(flyteSvg.replace(/#616161/g, '#1e88e5'))}`;

/** Where something stands in a notebook. */
export const locateIcon = new LabIcon({ name: 'flyte-jupyter:locate', svgstr: locateSvg });
