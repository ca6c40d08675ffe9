import { LabIcon } from '@jupyterlab/ui-components';

import flyteSvg from '../../style/icons/flyte.svg';

/** What stands for all of this, in the sidebar and the launcher. */
export const flyteIcon = new LabIcon({ name: 'flyte-jupyter:flyte', svgstr: flyteSvg });
