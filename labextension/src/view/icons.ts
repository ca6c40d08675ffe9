import { LabIcon } from '@jupyterlab/ui-components';

import flyteSvg from '../../style/icons/flyte.svg';
import locateSvg from '../../style/icons/locate.svg';

/** What stands for all of this, in the sidebar and the launcher. */
export const flyteIcon = new LabIcon({ name: 'flyte-jupyter:flyte', svgstr: flyteSvg });

/** Where something stands in a notebook. */
export const locateIcon = new LabIcon({ name: 'flyte-jupyter:locate', svgstr: locateSvg });
